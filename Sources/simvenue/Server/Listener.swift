import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// The listening socket and the connections that came by it; on its loop only.
final class Listener {
    /// How often it tries to have its port again after it was away.
    private static let retryInterval = TimeAmount.milliseconds(100)

    private let service: VenueService
    private let loop: any EventLoop
    private var port = 0
    /// `nil` while nobody listens.
    private var channel: (any Channel)?
    /// Set while nobody is to listen.
    private var comeback: Scheduled<Void>?
    private var connections: [ObjectIdentifier: any Channel] = [:]

    init(_ service: VenueService, on loop: any EventLoop) {
        loop.preconditionInEventLoop()
        self.service = service
        self.loop = loop
        service.listener = self
    }

    /// - Parameter port: 0 for any free one.
    /// - Returns: the port.
    func listen(port: Int) -> EventLoopFuture<Int> {
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        return ServerBootstrap(group: self.loop)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.add(channel) }
            }
            .bind(host: VenueServer.host, port: port)
            .map { channel in
                bound.value.port = channel.localAddress?.port ?? 0
                if bound.value.comeback == nil {
                    bound.value.channel = channel
                } else {
                    // Sent away again meanwhile.
                    channel.close(promise: nil)
                }
                return bound.value.port
            }
    }

    /// Closes the listening socket and opens it again so much later.
    func leave(for time: TimeAmount) {
        self.channel?.close(promise: nil)
        self.channel = nil
        self.comeBack(in: time)
    }

    private func comeBack(in time: TimeAmount) {
        self.comeback?.cancel()
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        self.comeback = self.loop.scheduleTask(in: time) {
            // Somebody else may have the port meanwhile; without it there is no venue, so it is tried for ever.
            bound.value.comeback = nil
            bound.value.listen(port: bound.value.port).whenFailure { _ in
                guard bound.value.comeback == nil, bound.value.channel == nil else { return }
                bound.value.comeBack(in: Self.retryInterval)
            }
        }
    }

    /// Ends all connections, once what was written now has left.
    func endConnections() {
        let channels = Array(self.connections.values)
        self.loop.execute { for channel in channels { channel.close(promise: nil) } }
    }

    private func add(_ channel: any Channel) throws {
        guard self.connections.count < VenueServer.connectionCountMax else { throw ChannelError.ioOnClosedChannel }
        self.connections[ObjectIdentifier(channel)] = channel
        let loop = channel.eventLoop
        let own = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in own.value.connections[ObjectIdentifier(channel)] = nil }
        let idle = IdleStateHandler(allTimeout: VenueServer.idleMax)
        let requests = RequestHandler(self.service)
        let service = NIOLoopBound(self.service, eventLoop: loop)
        let parts = NIOLoopBound((idle, requests), eventLoop: loop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: VenueServer.frameByteCountMax,
            shouldUpgrade: { channel, head in
                let target = ChannelTarget(uri: head.uri)
                let isTaken = target.map { service.value.takesUpgrade(to: $0) } ?? false
                if target == .market && !isTaken { service.value.audit.refusedUpgradeCount += 1 }
                let isCompressed =
                    target == .market && service.value.compresses && FrameDeflater.isOffered(head.headers)
                let headers = isCompressed ? FrameDeflater.headers : HTTPHeaders()
                return channel.eventLoop.makeSucceededFuture(isTaken ? headers : nil)
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    let target = ChannelTarget(uri: head.uri)
                    let gate = FrameGate()
                    if target == .market { try operations.addHandler(gate, position: .first) }
                    try operations.addHandler(
                        NIOWebSocketFrameAggregator(
                            minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: VenueServer.fragmentCountMax,
                            maxAccumulatedFrameSize: VenueServer.frameByteCountMax))
                    if let session = target.flatMap({ service.value.priceSession($0) }) {
                        try operations.addHandler(PriceSubscriber(session, service.value))
                    } else if target == .user {
                        try operations.addHandler(UserSubscriber(service.value))
                    } else {
                        let deflater = service.value.compresses ? FrameDeflater(for: head.headers) : nil
                        try operations.addHandler(MarketSubscriber(service.value, gate: gate, deflater: deflater))
                    }
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
