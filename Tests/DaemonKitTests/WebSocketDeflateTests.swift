import Compression
import Shared
import Testing

@testable import DaemonKit

/// Compressed messages: what is agreed about them, and how they are read (RFC 7692).
@Suite struct WebSocketDeflateTests {
    private static func agreed(_ answer: String) throws -> WebSocketDeflate {
        try #require(try WebSocketDeflate(answer: answer))
    }

    private static func deflated(_ text: String, with deflater: MessageDeflater = MessageDeflater()) -> [UInt8] {
        Array(text.utf8).withUnsafeBufferPointer { deflater.message($0) }
    }

    /// What a codec makes of these pieces where compression was agreed on without more.
    private static func heardCompressed(_ pieces: [[UInt8]], byteCountMax: Int = 1 << 20) throws -> [HeardEvent] {
        heard(pieces, messageByteCountMax: byteCountMax, deflate: try Self.agreed("permessage-deflate"))
    }

    // MARK: The handshake

    private static func handshake(_ extensions: [String], offers: Bool = true) throws -> WebSocketHandshake {
        let key = WebSocketHandshakeTests.sampleKey
        var handshake = WebSocketHandshake(
            url: try WebSocketURL("ws://venue.test/"), key: key, userAgent: "polybot", offersDeflate: offers)
        let accept = WebSocketHandshake.accept(for: Base64.encode(key))
        let lines =
            [
                "HTTP/1.1 101 Yes", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: \(accept)",
            ] + extensions.map { "Sec-WebSocket-Extensions: \($0)" }
        let bytes = Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
        _ = try bytes.withUnsafeBufferPointer { try handshake.receive($0, time: WebSocketHandshakeTests.time) }
        return handshake
    }

    @Test func compressionIsOfferedOnlyWhereItIsWanted() throws {
        let line = "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        #expect(String(decoding: try Self.handshake([]).request, as: UTF8.self).contains(line))
        let silent = String(decoding: try Self.handshake([], offers: false).request, as: UTF8.self)
        #expect(!silent.contains("Extensions"))
    }

    @Test(arguments: [
        ("permessage-deflate", "permessage-deflate"),
        (" permessage-deflate ;server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
        ("permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"),
        (
            "permessage-deflate; client_max_window_bits=15; server_max_window_bits = \"8\"",
            "permessage-deflate; server_max_window_bits=8; client_max_window_bits=15"
        ),
        (",\t, permessage-deflate;server_max_window_bits=10,", "permessage-deflate; server_max_window_bits=10"),
    ])
    func aRightAnswerIsAgreedOn(answer: String, agreed: String) throws {
        #expect(try Self.handshake([answer]).deflate?.description == agreed)
    }

    @Test func aServerMayDoWithoutCompression() throws {
        #expect(try Self.handshake([]).deflate == nil)
        #expect(try Self.handshake([" , "]).deflate == nil)
    }

    @Test(arguments: [
        (["x-webkit-deflate-frame"], "it names an extension that was not offered"),
        (["permessage-deflate, permessage-bzip2"], "it names an extension that was not offered"),
        (["permessage-deflate, permessage-deflate"], "it names permessage-deflate twice"),
        (["permessage-deflate", "permessage-deflate"], "it names permessage-deflate twice"),
        (["permessage-deflate;"], "permessage-deflate has a parameter that does not exist: \"\""),
        (["permessage-deflate; mode=fast"], "permessage-deflate has a parameter that does not exist: \"mode\""),
        (
            ["permessage-deflate; server_no_context_takeover; server_no_context_takeover"],
            "permessage-deflate has server_no_context_takeover twice"
        ),
        (
            ["permessage-deflate; server_max_window_bits=10; server_max_window_bits=10"],
            "permessage-deflate has server_max_window_bits twice"
        ),
        (
            ["permessage-deflate; client_no_context_takeover=true"],
            "permessage-deflate gives client_no_context_takeover a value"
        ),
        (
            ["permessage-deflate; client_max_window_bits"],
            "permessage-deflate has a client_max_window_bits that is not 8 to 15: \"\""
        ),
        (
            ["permessage-deflate; server_max_window_bits=16"],
            "permessage-deflate has a server_max_window_bits that is not 8 to 15: \"16\""
        ),
        (
            ["permessage-deflate; server_max_window_bits=08"],
            "permessage-deflate has a server_max_window_bits that is not 8 to 15: \"08\""
        ),
        (
            ["permessage-deflate; server_max_window_bits=7"],
            "permessage-deflate has a server_max_window_bits that is not 8 to 15: \"7\""
        ),
    ])
    func aWrongAnswerFailsTheHandshake(extensions: [String], detail: String) {
        #expect(throws: WebSocketHandshakeError.malformed(detail)) { try Self.handshake(extensions) }
    }

    // MARK: Messages

    /// Source: RFC 7692, 7.2.3.
    @Test func theStandardsExamplesAreRead() throws {
        let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        let text = HeardEvent.text("Hello")
        #expect(try Self.heardCompressed([frame(0xC1, hello)]) == [text])
        #expect(
            try Self.heardCompressed([frame(0x41, Array(hello[..<3])), frame(0x80, Array(hello[3...]))]) == [text])
        // The second refers to the first.
        let again: [UInt8] = [0xF2, 0x00, 0x11, 0x00, 0x00]
        #expect(try Self.heardCompressed([frame(0xC1, hello), frame(0xC1, again)]) == [text, text])
        let stored: [UInt8] = [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00]
        #expect(try Self.heardCompressed([frame(0xC1, stored)]) == [text])
        let last: [UInt8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]
        #expect(try Self.heardCompressed([frame(0xC1, last), frame(0xC1, again)]) == [text, text])
        let twoBlocks: [UInt8] = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]
        #expect(try Self.heardCompressed([frame(0xC1, twoBlocks)]) == [text])
        #expect(try Self.heardCompressed([frame(0xC2, [0x00])]) == [.binary([])])
    }

    @Test func aMessageThatRefersToAnotherIsRefusedWhereEachStandsForItself() throws {
        let deflater = MessageDeflater()
        let first = Self.deflated("a text that comes again", with: deflater)
        let second = Self.deflated("a text that comes again", with: deflater)
        let stream = frame(0xC1, first) + frame(0xC1, second)
        let deflate = try Self.agreed("permessage-deflate; server_no_context_takeover")
        #expect(heard([stream], deflate: deflate) == [.text("a text that comes again"), .failed(1007)])
        deflater.forget()
        #expect(
            heard([frame(0xC1, first) + frame(0xC1, Self.deflated("more", with: deflater))], deflate: deflate)
                == [.text("a text that comes again"), .text("more")])
    }

    @Test(
        arguments: [
            ("a compressed ping", [0xC9, 0x00]), ("a compressed close", [0xC8, 0x00]),
            ("a continuation with the bit", [0x41, 0x01, 0xF2, 0xC0, 0x01, 0x48]), ("the second bit", [0xA1, 0x00]),
            ("the third bit", [0x91, 0x00]), ("all bits", [0xF1, 0x00]), ("a reserved opcode", [0xC3, 0x00]),
        ] as [(String, [UInt8])])
    func aReservedBitAtAWrongPlaceIs1002(what: String, bytes: [UInt8]) throws {
        #expect(try Self.heardCompressed([bytes]) == [.failed(1002)], "\(what)")
        #expect(try Self.heardCompressed(bytes.map { [$0] }).first == .failed(1002), "\(what)")
    }

    @Test(
        arguments: [
            ("no block", []), ("an unknown kind of block", [0x06]), ("a block that does not end", [0xF2, 0x48, 0xCD]),
            ("stored bytes that are missing", [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48]),
            ("a last block and nothing behind it", [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]),
            ("a reference to what never was", [0xF2, 0x00, 0x11, 0x00, 0x00]),
        ] as [(String, [UInt8])])
    func whatCannotBeInflatedIs1007(what: String, bytes: [UInt8]) throws {
        #expect(try Self.heardCompressed([frame(0xC1, bytes)]) == [.failed(1007)], "\(what)")
        #expect(try Self.heardCompressed(frame(0xC1, bytes).map { [$0] }).first == .failed(1007), "\(what)")
    }

    @Test func aTextIsCheckedAsItIsInflated() throws {
        let deflater = MessageDeflater()
        let broken = [0x61, 0xFF, 0x61].withUnsafeBufferPointer { deflater.message($0) }
        #expect(try Self.heardCompressed([frame(0xC1, broken)]) == [.failed(1007)])
        let cut = Array("€".utf8).dropLast().withContiguousStorageIfAvailable { MessageDeflater().message($0) }
        #expect(try Self.heardCompressed([frame(0xC1, try #require(cut))]) == [.failed(1007)])
        let long = String(repeating: "€😀", count: 5_000)
        #expect(try Self.heardCompressed([frame(0xC1, Self.deflated(long))]) == [.text(long)])
    }

    @Test func theBoundIsThatOfTheInflatedMessage() throws {
        let text = String(repeating: "x", count: 100_000)
        let bytes = Self.deflated(text)
        #expect(bytes.count < 500)
        #expect(try Self.heardCompressed([frame(0xC1, bytes)], byteCountMax: 100_000) == [.text(text)])
        #expect(try Self.heardCompressed([frame(0xC1, bytes)], byteCountMax: 99_999) == [.failed(1009)])
        // Neither may more come on the line than a message may have.
        #expect(try Self.heardCompressed([[0xC1, 0x05]], byteCountMax: 4) == [.failed(1009)])
        let empty: [UInt8] = [0x00, 0x00, 0x00, 0xFF, 0xFF]
        let endless = frame(0x41, empty) + Array(repeating: frame(0x00, empty), count: 20).joined()
        #expect(try Self.heardCompressed([endless], byteCountMax: 99) == [.failed(1009)])
    }

    @Test func aBombTakesNoMoreMemoryThanItsBound() throws {
        var buffer = WebSocketMessageBuffer()
        let bound = 10_000
        var count = 0
        while count <= bound {
            let room = buffer.room(byteCountMax: bound - count + 1)
            #expect(room.count >= 1 && room.count <= bound - count + 1)
            room.initialize(repeating: 7)
            buffer.grew(by: room.count)
            count += room.count
        }
        #expect(buffer.count == bound + 1 && buffer.bytes.allSatisfy { $0 == 7 })
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func whateverIsDeflatedComesBackHoweverItIsCut(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let windowBits = Int32.random(in: 9...15, using: &random)
        let forgets = Bool.random(using: &random)
        let deflater = MessageDeflater(windowBits: windowBits)
        var stream: [UInt8] = []
        var expected: [HeardEvent] = []
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let letters = Int.random(in: 1...26, using: &random)
            let text = String(
                (0..<Int.random(in: 0...3_000, using: &random)).map { _ in
                    Character(Unicode.Scalar(UInt8(97 + Int.random(in: 0..<letters, using: &random))))
                })
            if Int.random(in: 0..<4, using: &random) == 0 {
                stream += frame(0x81, text)
            } else {
                let bytes = Self.deflated(text, with: deflater)
                if forgets { deflater.forget() }
                let cut = Int.random(in: 0...bytes.count, using: &random)
                stream += frame(0x41, Array(bytes[..<cut])) + frame(0x89, "p") + frame(0x80, Array(bytes[cut...]))
                expected.append(.ping([UInt8(ascii: "p")]))
            }
            expected.append(.text(text))
        }
        let deflate = try Self.agreed("permessage-deflate" + (forgets ? "; server_no_context_takeover" : ""))
        var pieces: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(400, rest.count), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        #expect(heard(pieces, deflate: deflate) == expected, "seed \(seed)")
        #expect(heard([stream], deflate: deflate) == expected, "seed \(seed)")
    }

    // MARK: A real server

    @Test(.enabled(if: PythonPeer.hasWebSockets, "needs the Python package websockets"))
    func anotherServersCompressedBurstArrivesWhole() async throws {
        let peer = try await PythonPeer("websocket_peer.py")
        let address = "ws://127.0.0.1:\(peer.port)/burst?count=2000&size=600"
        let texts: [String]? = try await onLoop { loop, finish in
            var options = WebSocketConnection.Options()
            options.proxy = ""
            options.offersDeflate = true
            var texts: [String] = []
            let connection = WebSocketConnection(url: try WebSocketURL(address), options: options, loop: loop)
            connection.onOpen = { [unowned connection] in #expect(connection.deflate != nil) }
            connection.onText = { texts.append(String(decoding: $0, as: UTF8.self)) }
            connection.onClosed = { _ in finish(texts) }
            connection.connect()
        }
        #expect(texts?.count == 2_000)
        #expect(texts?.enumerated().allSatisfy { $1.hasPrefix("\($0) ") && $1.utf8.count == 600 } == true)
    }
}
