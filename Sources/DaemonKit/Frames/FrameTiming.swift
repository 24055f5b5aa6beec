/// The times of a connection's life. The defaults are the contract; tests shorten them.
public struct FrameTiming: Hashable, Sendable {
    /// From one `ping` of the server to the next, and between a client's looks at its own line.
    public var pingInterval = Duration.seconds(1)
    /// A peer that is silent for longer is gone; one that has not said `hello` or ended a frame by then too.
    public var silenceMax = Duration.seconds(5)
    /// How long an ended connection may take to read its `error`.
    public var lingerMax = Duration.seconds(1)

    public init() {}
}
