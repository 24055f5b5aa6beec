import NIOCore
import NIOHTTP1
import NIOWebSocket

/// One HTTP connection: collects a request, asks the service, answers.
final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Enough for five hundred token ids many times over.
    static let bodyByteCountMax = 1 << 20

    private let service: VenueService
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(_ service: VenueService) { self.service = service }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body.removeAll(keepingCapacity: true)
            self.isTooLarge = false
            if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
                let proceed = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(Self.wrapOutboundOut(.head(proceed)), promise: nil)
            }
        case .body(let part):
            guard self.body.count + part.readableBytes <= Self.bodyByteCountMax else {
                self.isTooLarge = true
                return
            }
            self.body.append(contentsOf: part.readableBytesView)
        case .end:
            guard let head = self.head else { return }
            self.head = nil
            self.respond(to: head, context: context)
        }
    }

    private func respond(to head: HTTPRequestHead, context: ChannelHandlerContext) {
        let reply: VenueService.Reply
        if self.isTooLarge {
            reply = .answer(.error(413, "the body is over \(Self.bodyByteCountMax) bytes"), delay: 0)
        } else if let request = PageRequest(
            method: head.method.rawValue, target: head.uri, headers: head.headers.map { $0 }, body: self.body)
        {
            reply = self.service.reply(to: request)
        } else {
            reply = .answer(.error(400, "malformed request target"), delay: 0)
        }
        let keepsAlive = head.isKeepAlive && !self.isTooLarge
        switch reply {
        case .lost: context.close(promise: nil)
        case .answer(let answer, delay: 0): self.write(answer, to: head, keepsAlive: keepsAlive, context: context)
        case .answer(let answer, let delay):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(delay)) {
                let (handler, context) = bound.value
                guard context.channel.isActive else { return }
                handler.write(answer, to: head, keepsAlive: keepsAlive, context: context)
            }
        }
    }

    private func write(_ answer: Answer, to head: HTTPRequestHead, keepsAlive: Bool, context: ChannelHandlerContext) {
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: "application/json")
        headers.add(name: "content-length", value: String(answer.body.count))
        if let seconds = answer.retryAfter { headers.add(name: "retry-after", value: String(seconds)) }
        for header in answer.headers { headers.add(name: header.name, value: header.value) }
        if !keepsAlive { headers.add(name: "connection", value: "close") }
        let responseHead = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        context.write(Self.wrapOutboundOut(.head(responseHead)), promise: nil)
        if head.method != .HEAD {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil))).whenComplete { _ in
            if !keepsAlive { channel.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A refused upgrade comes here first and is then answered as the plain request that it is.
        if error is NIOWebSocketUpgradeError { return }
        context.close(promise: nil)
    }
}
