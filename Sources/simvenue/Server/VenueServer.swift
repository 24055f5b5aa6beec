import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// Listens on loopback for Gamma, the order book service, the market channel and the controls, all on one port.
struct VenueServer: Sendable {
    static let host = "127.0.0.1"
    static let connectionCountMax = 4_096
    /// An HTTP connection without a request for so long is closed.
    static let idleMax = TimeAmount.seconds(120)
    static let headerByteCountMax = 32 << 10
    static let headerCountMax = 100
    static let frameByteCountMax = 1 << 20
    static let fragmentCountMax = 1_024

    /// The port it listens on.
    let port: Int

    /// Starts the venue that `makeCore` makes, given the time in milliseconds UTC.
    ///
    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - compresses: whether the market channel is compressed for those who offer it.
    ///   - script: faults, by time since the start.
    ///   - desk: for traders, if the venue has an engine.
    static func start(
        port: Int, on loop: any EventLoop, pendingByteCountMax: Int = 16 << 20, compresses: Bool = false,
        script: FaultScript = .empty,
        desk: Desk.Settings = Desk.Settings(), makeCore: @escaping @Sendable (Int64) -> any VenueCore
    ) -> EventLoopFuture<VenueServer> {
        loop.flatSubmit {
            let service = VenueService(
                makeCore(WallClock.milliseconds), desk: Desk(desk), on: loop, pendingByteCountMax: pendingByteCountMax,
                compresses: compresses, script: script)
            return Listener(service, on: loop).listen(port: port).map { VenueServer(port: $0) }
        }
    }
}
