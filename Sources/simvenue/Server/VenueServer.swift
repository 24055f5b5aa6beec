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

    let channel: any Channel

    /// The port it listens on.
    var port: Int { self.channel.localAddress?.port ?? 0 }

    /// Starts the venue that `makeCore` makes, given the time in milliseconds UTC.
    ///
    /// - Parameter port: 0 for any free one.
    static func start(
        port: Int, on loop: any EventLoop, pendingByteCountMax: Int = 16 << 20,
        makeCore: @escaping @Sendable (Int64) -> any VenueCore
    ) -> EventLoopFuture<VenueServer> {
        loop.submit {
            let service = VenueService(
                makeCore(WallClock.milliseconds), on: loop, pendingByteCountMax: pendingByteCountMax)
            return NIOLoopBound(Connections(service), eventLoop: loop)
        }.flatMap { connections in
            ServerBootstrap(group: loop)
                .serverChannelOption(.backlog, value: 512)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try connections.value.add(channel) }
                }
                .bind(host: Self.host, port: port)
                .map { VenueServer(channel: $0) }
        }
    }
}

/// The connections of a server; on its loop only.
private final class Connections {
    private let service: VenueService
    private var count = 0

    init(_ service: VenueService) { self.service = service }

    func add(_ channel: any Channel) throws {
        guard self.count < VenueServer.connectionCountMax else { throw ChannelError.ioOnClosedChannel }
        self.count += 1
        let loop = channel.eventLoop
        let own = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in own.value.count -= 1 }
        let idle = IdleStateHandler(allTimeout: VenueServer.idleMax)
        let requests = RequestHandler(self.service)
        let service = NIOLoopBound(self.service, eventLoop: loop)
        let parts = NIOLoopBound((idle, requests), eventLoop: loop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: VenueServer.frameByteCountMax,
            shouldUpgrade: { channel, head in
                let isWanted = head.uri.split(separator: "?").first == "/ws/market" && !service.value.refusesUpgrades
                return channel.eventLoop.makeSucceededFuture(isWanted ? HTTPHeaders() : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    let gate = FrameGate()
                    try operations.addHandler(gate, position: .first)
                    try operations.addHandler(
                        NIOWebSocketFrameAggregator(
                            minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: VenueServer.fragmentCountMax,
                            maxAccumulatedFrameSize: VenueServer.frameByteCountMax))
                    try operations.addHandler(MarketSubscriber(service.value, gate: gate))
                }
            })
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = VenueServer.headerByteCountMax
        limits.maxHeaderListSize = VenueServer.headerByteCountMax
        limits.maxHeaderFieldCount = VenueServer.headerCountMax
        let operations = channel.pipeline.syncOperations
        try operations.addHandler(idle)
        try operations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    let (idle, requests) = parts.value
                    context.pipeline.syncOperations.removeHandler(idle, promise: nil)
                    context.pipeline.syncOperations.removeHandler(requests, promise: nil)
                }
            ), withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try operations.addHandler(requests)
    }
}
