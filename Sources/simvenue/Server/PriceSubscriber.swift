import NIOCore
import NIOWebSocket

/// One connection of a price stream: frames in to its session, the session's actions out.
final class PriceSubscriber: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private(set) var session: any PriceSession
    private let service: VenueService
    private var context: ChannelHandlerContext?
    /// Bytes written that the socket has not taken yet.
    private var pendingByteCount = 0
    private var isClosing = false

    init(_ session: any PriceSession, _ service: VenueService) {
        self.session = session
        self.service = service
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
        guard !self.isClosing else { return }
        let frame = Self.unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary: self.service.receive(.text(Array(buffer: frame.unmaskedData)), from: self)
        case .ping:
            self.write(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
            context.flush()
            self.service.receive(.ping, from: self)
        case .pong: self.service.receive(.pong, from: self)
        case .connectionClose: self.close(frame.unmaskedData)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Lets the session go on to `time`.
    func advance(to time: Int64, _ prices: ReferencePrices) {
        var actions: [PriceAction] = []
        self.session.advance(to: time, prices, into: &actions)
        self.perform(actions)
    }

    /// Hands the session a frame that came at `time`.
    func receive(_ frame: PriceFrame, at time: Int64, _ prices: ReferencePrices, accepts: CredentialsCheck) {
        var actions: [PriceAction] = []
        self.session.receive(frame, at: time, prices, accepts: accepts, into: &actions)
        self.perform(actions)
    }

    private func perform(_ actions: [PriceAction]) {
        guard !actions.isEmpty else { return }
        for action in actions {
            switch action {
            case .send(let text):
                guard !self.service.arePricesSilent else { continue }
                self.write(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(bytes: text)))
            case .ping: self.write(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()))
            case .close(let code): return self.close(code: code)
            }
        }
        self.context?.flush()
    }

    /// A reader that lets too much pile up is cut off.
    private func write(_ frame: WebSocketFrame) {
        guard let context = self.context, !self.isClosing else { return }
        let count = frame.length
        guard self.pendingByteCount + count <= self.service.pendingByteCountMax else { return self.cutOff() }
        self.pendingByteCount += count
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.write(Self.wrapOutboundOut(frame)).whenComplete { _ in bound.value.pendingByteCount -= count }
    }

    /// Ends the connection at once, without a goodbye.
    func cutOff() {
        self.isClosing = true
        self.context?.close(mode: .all, promise: nil)
    }

    /// Says goodbye with a code, then ends the connection.
    func close(code: UInt16) { self.close(ByteBuffer(integer: code)) }

    private func close(_ payload: ByteBuffer) {
        guard let context = self.context, !self.isClosing else { return }
        self.isClosing = true
        let channel = context.channel
        context.writeAndFlush(
            Self.wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: payload))
        ).whenComplete { _ in channel.close(promise: nil) }
    }
}
