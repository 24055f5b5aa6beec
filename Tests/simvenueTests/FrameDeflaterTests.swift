import Compression
import NIOCore
import NIOHTTP1
import Testing

@testable import simvenue

/// Frames that were made for all, compressed for one connection.
@Suite struct FrameDeflaterTests {
    private static func deflater(_ offers: String...) -> FrameDeflater? {
        FrameDeflater(for: HTTPHeaders(offers.map { ("Sec-WebSocket-Extensions", $0) }))
    }

    private static func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        return count < 126
            ? [first, UInt8(count)] + payload : [first, 126, UInt8(count >> 8), UInt8(count & 0xFF)] + payload
    }

    @Test func anOfferIsTakenThatAsksNothingOfTheVenuesOwnMessages() {
        #expect(Self.deflater("permessage-deflate") != nil)
        #expect(Self.deflater("x-other; a=b", "permessage-deflate; client_max_window_bits=10") != nil)
        #expect(Self.deflater("permessage-deflate; server_max_window_bits=10, permessage-deflate") != nil)
        #expect(Self.deflater() == nil)
        #expect(Self.deflater("", ";", "x-webkit-deflate-frame") == nil)
        #expect(Self.deflater("permessage-deflate; server_no_context_takeover") == nil)
    }

    @Test func textsAreCompressedAndWhatFollowsAnythingElseIsLeft() throws {
        let texts = [[UInt8](repeating: 0x61, count: 20_000), Array("PONG".utf8)]
        let ping = Self.frame(0x89, [1, 2])
        let stream = Self.frame(0x81, texts[0]) + Self.frame(0x81, texts[1]) + ping + Self.frame(0x81, texts[1])
        let deflater = try #require(Self.deflater("permessage-deflate"))
        let output = Array(buffer: deflater.deflated(ByteBuffer(bytes: stream)))
        let expected = MessageDeflater()
        let compressed = texts.map { text in
            Self.frame(0xC1, text.withUnsafeBufferPointer { expected.message($0) })
        }
        #expect(output == compressed[0] + compressed[1] + ping + Self.frame(0x81, texts[1]))
        #expect(output.count < 150)
    }
}
