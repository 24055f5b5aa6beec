import Compression
import Shared

@testable import DaemonKit

/// Compressed messages: any cut gives the same events, none is larger than its bound, and what was deflated comes back.
///
/// The first byte tells whether each message stands for itself; what follows are frames of a server.
enum DeflateTarget {
    /// Small, so that inputs reach the bound.
    private static let messageByteCountMax = 1_000

    private enum Event: Equatable {
        case message(isText: Bool, [UInt8])
        case control([UInt8])
        case close
        case refused(UInt16)
    }

    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        guard let first = input.first else { return }
        let bytes = Array(input.dropFirst())
        let forgets = first & 1 != 0
        let ways = cuts(of: bytes)
        let whole = self.decode(ways[0], forgets: forgets, byteCountMax: self.messageByteCountMax)
        for pieces in ways.dropFirst() {
            check(
                self.decode(pieces, forgets: forgets, byteCountMax: self.messageByteCountMax) == whole,
                "another cut gives other events")
        }
        for event in whole {
            switch event {
            case .message(let isText, let message):
                check(message.count <= self.messageByteCountMax, "a message of \(message.count) bytes")
                check(!isText || String(validating: message, as: UTF8.self) != nil, "a text that is not UTF-8")
            case .control(let data): check(data.count <= 125, "a control frame of \(data.count) bytes")
            case .close: break
            case .refused(let code): check([1002, 1007, 1009].contains(code), "refused with \(code)")
            }
        }
        self.checkRoundTrip(bytes, forgets: forgets)
    }

    private static func decode(_ pieces: [[UInt8]], forgets: Bool, byteCountMax: Int) -> [Event] {
        var codec = WebSocketCodec(messageByteCountMax: byteCountMax)
        let answer = "permessage-deflate" + (forgets ? "; server_no_context_takeover" : "")
        guard let deflate = try? WebSocketDeflate(answer: answer) else { fatalError("the answer is good") }
        codec.accept(deflate)
        var events: [Event] = []
        for piece in pieces {
            piece.withUnsafeBufferPointer { buffer in
                var rest = buffer
                do throws(WebSocketProtocolError) {
                    while let event = try codec.next(&rest) {
                        switch event {
                        case .text(let bytes): events.append(.message(isText: true, Array(bytes)))
                        case .binary(let bytes): events.append(.message(isText: false, Array(bytes)))
                        case .ping(let bytes), .pong(let bytes): events.append(.control(Array(bytes)))
                        case .close: events.append(.close)
                        }
                    }
                    check(rest.isEmpty, "bytes were left, and no event came")
                } catch {
                    events.append(.refused(error.code))
                }
            }
        }
        return events
    }

    /// The input, cut into messages, deflated and framed by us.
    private static func checkRoundTrip(_ bytes: [UInt8], forgets: Bool) {
        let messages = cuts(of: bytes).last ?? []
        let deflater = MessageDeflater(windowBits: 9 + Int32(bytes.count % 7))
        var stream: [UInt8] = []
        for message in messages {
            let deflated = message.withUnsafeBufferPointer { deflater.message($0) }
            if forgets { deflater.forget() }
            stream += [0xC2, 126, UInt8(deflated.count >> 8), UInt8(deflated.count & 0xFF)]
            if deflated.count < 126 {
                stream.removeLast(3)
                stream.append(UInt8(deflated.count))
            }
            stream += deflated
        }
        let events = self.decode([stream], forgets: forgets, byteCountMax: 1 << 20)
        check(events == messages.map { .message(isText: false, $0) }, "what was deflated does not come back")
    }
}
