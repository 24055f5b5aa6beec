public import Logging

extension Logger.MetadataValue {
    /// As much of a frame or text is shown at trace, in bytes.
    public static let tracedByteCountMax = 512

    /// What others said, or we to them: cut, and whatever it is made of. Ask `Logger.isTracing` before.
    public static func traced(_ bytes: UnsafeBufferPointer<UInt8>) -> Logger.MetadataValue {
        guard bytes.count > Self.tracedByteCountMax else { return .string(String(decoding: bytes, as: UTF8.self)) }
        return .string(String(decoding: bytes.prefix(Self.tracedByteCountMax), as: UTF8.self) + "…")
    }
}

extension Logger {
    /// Whether trace is on. The level of a daemon's logger never changes: hot paths keep the answer, so that silence costs
    /// them a look at a `Bool`.
    public var isTracing: Bool { self.logLevel <= .trace }
    /// Whether debug, or trace, is on.
    public var isDebugging: Bool { self.logLevel <= .debug }
}
