import Shared
import Testing

@testable import DaemonKit

@Suite struct WebSocketHandshakeTests {
    static let sampleKey = Array("the sample nonce".utf8)  // RFC 6455, 1.3

    /// When answers come: a moment before the one of the standard's example of a date.
    static let time = Timestamp(rfc3339: "1994-11-06T08:49:07Z")!

    func handshake(_ address: String = "ws://venue.test:81/ws/market?x=1") throws -> WebSocketHandshake {
        WebSocketHandshake(
            url: try WebSocketURL(address), key: Self.sampleKey, userAgent: "polybot/0.1",
            headers: [("Origin", "https://a.test")])
    }

    func answer(_ lines: [String], status: String = "HTTP/1.1 101 Switching Protocols") -> [UInt8] {
        Array(([status] + lines + ["", ""]).joined(separator: "\r\n").utf8)
    }

    static let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    func outcome(_ bytes: [UInt8]) throws -> Result<Int?, WebSocketHandshakeError> {
        var handshake = try self.handshake()
        return bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(WebSocketHandshakeError) in try handshake.receive(buffer, time: Self.time) }
        }
    }

    @Test func theRequestIsWhatTheStandardAsksFor() throws {
        let request = String(decoding: try self.handshake().request, as: UTF8.self)
        #expect(
            request
                == "GET /ws/market?x=1 HTTP/1.1\r\nHost: venue.test:81\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nUser-Agent: polybot/0.1\r\n"
                + "Origin: https://a.test\r\n\r\n")
    }

    @Test func aRightAnswerIsTakenAndWhatFollowsItIsLeft() throws {
        let head = self.answer(["upgrade: WebSocket", "CONNECTION: keep-alive, Upgrade", Self.accept, "X-Ray:  é "])
        #expect(try self.outcome(head) == .success(head.count))
        #expect(try self.outcome(head + [0x81, 0x00]) == .success(head.count))
        for cut in head.indices {
            var handshake = try self.handshake()
            let first = try head[..<cut].withContiguousStorageIfAvailable { try handshake.receive($0, time: Self.time) }
            #expect(first == .some(nil))
            let second = Array(head[cut...]) + [0x81, 0x00]
            #expect(
                try second.withUnsafeBufferPointer { try handshake.receive($0, time: Self.time) } == head.count - cut)
        }
    }

    @Test func aRejectionTellsHowLongToStayAway() throws {
        let answer = self.answer(["Retry-After: 7"], status: "HTTP/1.1 429 No")
        #expect(try self.outcome(answer) == .failure(.rejected(status: 429, retryAfter: .seconds(7))))
        let text = WebSocketHandshakeError.rejected(status: 503, retryAfter: .seconds(9)).description
        #expect(text == "the server answered the handshake with HTTP status 503, to be asked again in 9 s")
    }

    @Test func aRejectionUntilADateCountsFromTheServersClockOrElseFromTheTimeItCame() throws {
        let until = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"
        let bare = self.answer([until], status: "HTTP/1.1 503 No")
        #expect(try self.outcome(bare) == .failure(.rejected(status: 503, retryAfter: .seconds(30))))
        let dated = self.answer(["Date: Sun, 06 Nov 1994 08:49:30 GMT", until], status: "HTTP/1.1 503 No")
        #expect(try self.outcome(dated) == .failure(.rejected(status: 503, retryAfter: .seconds(7))))
    }

    @Test(arguments: [200, 301, 403, 429, 503])
    func anotherStatusIsARejection(status: Int) throws {
        #expect(
            try self.outcome(self.answer([], status: "HTTP/1.1 \(status) No")) == .failure(.rejected(status: status)))
    }

    @Test(arguments: [
        ["Connection: Upgrade", accept], ["Upgrade: websocket", accept],
        ["Upgrade: websocket", "Connection: close", accept],
        ["Upgrade: websocket", "Connection: Upgrade"], ["Upgrade: h2c", "Connection: Upgrade", accept],
        ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO="],
        ["Upgrade: websocket", "Connection: Upgrade", accept, "Sec-WebSocket-Extensions: permessage-deflate"],
        ["Upgrade: websocket", "Connection: Upgrade", accept, "Sec-WebSocket-Protocol: chat"],
        ["Upgrade: websocket", "Connection: Upgrade", accept, "no colon"],
        ["Upgrade: websocket", "Connection: Upgrade", accept, ": no name"],
    ])
    func anAnswerThatProvesNothingIsMalformed(lines: [String]) throws {
        guard case .failure(.malformed) = try self.outcome(self.answer(lines)) else {
            return #expect(Bool(false), "\(lines) was accepted")
        }
    }

    @Test func whatIsNotHTTPIsMalformed() throws {
        for status in ["SSH-2.0-OpenSSH", "HTTP/2 101", "HTTP/1.1 1O1 Zero", "HTTP/1.1", ""] {
            guard case .failure(.malformed) = try self.outcome(self.answer([], status: status)) else {
                return #expect(Bool(false), "\(status) was accepted")
            }
        }
    }

    @Test func anEndlessHeadIsGivenUp() throws {
        let line = Array("HTTP/1.1 101 OK\r\n".utf8)
        let filler = [UInt8](repeating: UInt8(ascii: "a"), count: WebSocketHandshake.headByteCountMax - line.count - 1)
        #expect(try self.outcome(line + filler) == .success(nil))
        guard case .failure(.malformed) = try self.outcome(line + filler + Array("a".utf8)) else {
            return #expect(Bool(false), "an endless head was accepted")
        }
    }

    @Test func addressesAreTakenApart() throws {
        let market = try WebSocketURL("wss://ws-subscriptions-clob.polymarket.com/ws/market")
        #expect(
            market.isSecure && market.authority == "ws-subscriptions-clob.polymarket.com"
                && market.target == "/ws/market")
        #expect(market.lineURL == "https://ws-subscriptions-clob.polymarket.com/")
        let local = try WebSocketURL("WS://[::1]:8080?a=b")
        #expect(!local.isSecure && local.authority == "[::1]:8080" && local.target == "/?a=b")
        #expect(try WebSocketURL("ws://a").target == "/")
        #expect(try WebSocketURL("ws://a:1/x").description == "ws://a:1/x")
    }

    @Test(arguments: [
        "http://a/", "a", "", "ws://", "ws:///x", "ws://a b/", "ws://a/\r\nX: y", "ws://a#b", "ws://u@a/", "ws://a:0/",
        "ws://a:65536",
        "ws://a:x", "ws://:1", "ws://[::1", "ws://[]", "ws://[::1]x", "ws://a:+1", "ws://münchen.test",
        "ws://" + String(repeating: "a", count: 9_000),
    ])
    func wrongAddressesAreRefused(address: String) {
        #expect(throws: WebSocketURLError.self) { try WebSocketURL(address) }
    }

    @Test func base64IsPadded() {
        #expect(
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map { Base64.encode(Array($0.utf8)) } == [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
            ])
    }
}
