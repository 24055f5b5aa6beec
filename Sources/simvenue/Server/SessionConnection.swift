import NIOCore
import NIOWebSocket

/// One WebSocket connection whose texts are made by a session: frames in, actions out. What a session is asked and told is
/// its subclass's matter.
class SessionConnection: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// How long a goodbye may wait behind what a reader does not take.
    private static let goodbyeMax = TimeAmount.seconds(5)

    let service: VenueService
    private var context: ChannelHandlerContext?
    /// Bytes written that the socket has not taken yet.
    private var pendingByteCount = 0
    private(set) var isClosing = false

    init(_ service: VenueService) { self.service = service }

    // MARK: For the subclass

    func opened() {}
    func closed() {}
    func received(_ frame: ChannelFrame) {}
    /// Whether a fault keeps its texts back.
    var isSilent: Bool { false }

    // MARK: Frames

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.opened()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.closed()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isClosing else { return }
        let frame = Self.unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary: self.received(.text(Array(buffer: frame.unmaskedData)))
        case .ping:
            self.write(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
            context.flush()
            self.received(.ping)
        case .pong: self.received(.pong)
        case .connectionClose: self.close(frame.unmaskedData)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func perform(_ actions: [ChannelAction]) {
        guard !actions.isEmpty else { return }
        for action in actions {
            switch action {
            case .send(let text):
                guard !self.isSilent else { continue }
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
        let end = context.eventLoop.scheduleTask(in: Self.goodbyeMax) { channel.close(promise: nil) }
        context.writeAndFlush(
            Self.wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: payload))
        ).whenComplete { _ in
            end.cancel()
            channel.close(promise: nil)
        }
    }
}
