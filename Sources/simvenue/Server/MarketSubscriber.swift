import Glibc
import NIOCore
import NIOWebSocket

/// One connection of the market channel: frames in, ready-made frames out.
final class MarketSubscriber: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// A reader with more than this before it is behind: a recording at full speed waits for it.
    static let behindByteCount = 1 << 20
    /// A recording waits so long for a reader that takes nothing (milliseconds), then goes on without it.
    static let stallMax: Int64 = 5_000

    var subscriptions = Subscriptions()
    /// Faults of this connection alone.
    var deltaFaults = DeltaFaults()
    /// Until when it says nothing (the venue's milliseconds), and whether it answers pings meanwhile.
    var silence: (until: Int64, answersPings: Bool) = (0, false)
    /// Until when it is lied to (the venue's milliseconds), and of which market alone.
    var lie: (until: Int64, slot: Int?)?
    private let service: VenueService
    /// Stands before the frame encoder, so that frames encoded once for all go out as they are.
    private let gate: FrameGate
    /// Where compression was agreed on.
    private let deflater: FrameDeflater?
    private var context: ChannelHandlerContext?
    /// Bytes written that the socket has not taken yet.
    private var pendingByteCount = 0
    private var lastProgress: Int64 = 0

    init(_ service: VenueService, gate: FrameGate, deflater: FrameDeflater?) {
        self.service = service
        self.gate = gate
        self.deflater = deflater
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.service.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.service.remove(self)
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary: self.service.receive(Array(buffer: frame.unmaskedData), from: self)
        case .ping:
            guard self.service.answersPings(of: self) else { return }
            context.writeAndFlush(
                Self.wrapOutboundOut(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)), promise: nil)
        case .connectionClose:
            let channel = context.channel
            context.writeAndFlush(
                Self.wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData))
            ).whenComplete { _ in channel.close(promise: nil) }
        case .continuation, .pong: break
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Sends whole frames. A reader that lets too much pile up is cut off, unless it is to get a frame of any size.
    func send(_ frames: ByteBuffer, at time: Int64, isBounded: Bool = true) {
        guard let context = self.context, let gate = self.gate.context else { return }
        let frames = self.deflater?.deflated(frames) ?? frames
        guard !isBounded || self.pendingByteCount + frames.readableBytes <= self.service.pendingByteCountMax else {
            return self.cutOff()
        }
        if self.pendingByteCount == 0 { self.lastProgress = time }
        let count = frames.readableBytes
        self.pendingByteCount += count
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        gate.writeAndFlush(FrameGate.wrapOutboundOut(frames)).whenComplete { _ in
            let subscriber = bound.value
            subscriber.pendingByteCount -= count
            subscriber.lastProgress = subscriber.service.time
        }
    }

    var isBehind: Bool { self.pendingByteCount > Self.behindByteCount }

    func hasStalled(at time: Int64) -> Bool { time - self.lastProgress > Self.stallMax }

    /// Ends the connection at once, without a goodbye.
    func cutOff() { self.context?.close(mode: .all, promise: nil) }

    /// Says goodbye with a code, then ends the connection.
    func close(code: UInt16) {
        guard let context = self.context else { return }
        let channel = context.channel
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: ByteBuffer(integer: code))
        context.writeAndFlush(Self.wrapOutboundOut(frame)).whenComplete { _ in channel.close(promise: nil) }
    }

    /// Ends the connection by a reset.
    func reset() {
        // A socket that lingers for no time throws away what it has, and says so.
        guard let channel = self.context?.channel else { return }
        guard let socket = channel as? any SocketOptionProvider else { return self.cutOff() }
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    }
}

/// The place in a pipeline from which bytes go to the socket unchanged.
final class FrameGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private(set) var context: ChannelHandlerContext?
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
}
