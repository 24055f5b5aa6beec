import Shared
import Testing

@testable import DaemonKit

/// What a codec gave out, as values: its own events point into memory that is reused.
enum HeardEvent: Equatable, CustomStringConvertible {
    case text(String)
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, String)
    case failed(UInt16)

    init(_ event: WebSocketCodec.Event) {
        self =
            switch event {
            case .text(let bytes): .text(String(decoding: bytes, as: UTF8.self))
            case .binary(let bytes): .binary(Array(bytes))
            case .ping(let bytes): .ping(Array(bytes))
            case .pong(let bytes): .pong(Array(bytes))
            case .close(let code, let reason): .close(code, reason)
            }
    }

    var description: String {
        switch self {
        case .text(let text): "text(\(text.count > 40 ? "\(text.utf8.count) bytes" : text))"
        case .binary(let bytes): "binary(\(bytes.count) bytes)"
        case .ping(let bytes): "ping(\(bytes))"
        case .pong(let bytes): "pong(\(bytes))"
        case .close(let code, let reason): "close(\(code ?? 0), \(reason))"
        case .failed(let code): "failed(\(code))"
        }
    }
}

/// Feeds the pieces one after the other and notes every event.
func heard(
    _ pieces: [[UInt8]], messageByteCountMax: Int = WebSocketCodec.messageByteCountMaxDefault,
    deflate: WebSocketDeflate? = nil
) -> [HeardEvent] {
    var codec = WebSocketCodec(messageByteCountMax: messageByteCountMax)
    if let deflate { codec.accept(deflate) }
    var events: [HeardEvent] = []
    for piece in pieces {
        piece.withUnsafeBufferPointer { buffer in
            var bytes = buffer
            do throws(WebSocketProtocolError) {
                while let event = try codec.next(&bytes) { events.append(HeardEvent(event)) }
            } catch {
                events.append(.failed(error.code))
            }
        }
    }
    return events
}

func heard(_ bytes: [UInt8], messageByteCountMax: Int = WebSocketCodec.messageByteCountMaxDefault) -> [HeardEvent] {
    heard([bytes], messageByteCountMax: messageByteCountMax)
}

/// A server's frame, written independently of the encoder under test.
func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    switch count {
    case ...125: return [first, UInt8(count)] + payload
    case ...0xFFFF: return [first, 126, UInt8(count >> 8), UInt8(count & 0xFF)] + payload
    default: return [first, 127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) } + payload
    }
}

func frame(_ first: UInt8, _ text: String) -> [UInt8] { frame(first, Array(text.utf8)) }

@Suite struct WebSocketCodecTests {
    @Test func aTextInOneFrameIsHandedOutWhereItLies() {
        let bytes = frame(0x81, "[]") + frame(0x81, "PONG")
        bytes.withUnsafeBufferPointer { buffer in
            var codec = WebSocketCodec()
            var rest = buffer
            guard case .text(let first)? = try? codec.next(&rest) else { return #expect(Bool(false)) }
            #expect(first.baseAddress == buffer.baseAddress.map { $0 + 2 })
            #expect(rest.count == 6)
            guard case .text(let second)? = try? codec.next(&rest) else { return #expect(Bool(false)) }
            #expect(Array(second) == Array("PONG".utf8))
            #expect(second.baseAddress == buffer.baseAddress.map { $0 + 6 })
        }
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
    func everyLengthFormIsRead(count: Int) {
        let payload = (0..<count).map { UInt8($0 % 251) }
        #expect(heard(frame(0x82, payload)) == [.binary(payload)])
    }

    @Test func fragmentsMakeOneMessageAndControlFramesMayStandBetween() {
        let stream = frame(0x01, "hel") + frame(0x89, "p") + frame(0x00, "lo ") + frame(0x8A, "") + frame(0x80, "you")
        #expect(heard(stream) == [.ping([UInt8(ascii: "p")]), .pong([]), .text("hello you")])
        #expect(heard(frame(0x02, []) + frame(0x00, []) + frame(0x80, [])) == [.binary([])])
    }

    @Test func aCharacterMayBeCutBetweenFragments() {
        let euro = Array("€😀".utf8)
        for cut in 1..<euro.count {
            let stream = frame(0x01, Array(euro[..<cut])) + frame(0x80, Array(euro[cut...]))
            #expect(heard(stream) == [.text("€😀")])
        }
    }

    @Test(
        arguments: [
            ("a reserved bit", [0xC1, 0x00]), ("another reserved bit", [0x91, 0x00]),
            ("a reserved opcode", [0x83, 0x00]),
            ("a reserved control opcode", [0x8B, 0x00]), ("a masked frame", [0x81, 0x80, 1, 2, 3, 4]),
            ("a fragmented ping", [0x09, 0x00]), ("a long ping", [0x89, 126, 0, 126]),
            ("a continuation of nothing", [0x80, 0x00]), ("a length that needed no two bytes", [0x81, 126, 0, 125]),
            ("a length that needed no eight bytes", [0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
            ("a length with the highest bit", [0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            ("a message inside a message", [0x01, 0x00, 0x81, 0x00]), ("half a close code", [0x88, 0x01, 0x03]),
        ] as [(String, [UInt8])])
    func brokenFramingIs1002(what: String, bytes: [UInt8]) {
        #expect(heard(bytes) == [.failed(1002)], "\(what)")
        #expect(heard(bytes.map { [$0] }).first == .failed(1002), "\(what)")
    }

    @Test func whatTheFirstBytesForbidIsRefusedBeforeTheRestHasCome() {
        #expect(heard([0x81, 0xFE]) == [.failed(1002)])
        #expect(heard([[0x83], [0x7F]]) == [.failed(1002)])
    }

    @Test func closeCodesThatAreNeverSentAre1002() {
        let allowed: [UInt16] = [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4003, 4999,
        ]
        for code in allowed {
            #expect(heard(frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)])) == [.close(code, "")])
        }
        for code: UInt16 in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            #expect(heard(frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)])) == [.failed(1002)])
        }
    }

    @Test func aCloseMayHaveNoCodeAndNothingIsReadAfterIt() {
        #expect(heard(frame(0x88, "") + frame(0x81, "late")) == [.close(nil, "")])
        #expect(
            heard([frame(0x88, [0x0F, 0xA3] + Array("bye €".utf8)), frame(0x81, "late")]) == [.close(4003, "bye €")])
        #expect(heard(frame(0x88, [0x03, 0xE8, 0xFF])) == [.failed(1007)])
    }

    @Test func aMessageOverItsBoundIs1009BeforeItIsStored() {
        #expect(heard(frame(0x81, "1234"), messageByteCountMax: 4) == [.text("1234")])
        #expect(heard([0x81, 5], messageByteCountMax: 4) == [.failed(1009)])
        #expect(heard([0x81, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) == [.failed(1009)])
        #expect(heard(frame(0x01, "123") + [0x80, 2], messageByteCountMax: 4) == [.failed(1009)])
        #expect(
            heard(frame(0x01, "123") + frame(0x89, "12345") + frame(0x80, "4"), messageByteCountMax: 4).last
                == .text("1234"))
    }

    /// Pieces of texts; Swift's own decoder says whether they are UTF-8.
    @Test(
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF],
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xEE, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0x80], [0xBF], [0xFF], [0xC2], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC2, 0x41], [0xEF, 0xBF, 0xBF],
        ] as [[UInt8]])
    func textsThatAreNotUTF8Are1007(bytes: [UInt8]) {
        for prefix in ["", "a", "12345678", "123456789012345"] {
            let payload = Array(prefix.utf8) + bytes
            let expected: HeardEvent = String(validating: payload, as: UTF8.self).map { .text($0) } ?? .failed(1007)
            #expect(heard(frame(0x81, payload)).first == expected)
            for cut in 0...payload.count {
                let fragments = frame(0x01, Array(payload[..<cut])) + frame(0x80, Array(payload[cut...]))
                #expect(heard(fragments).first == expected)
            }
        }
    }

    @Test func aWrongByteIsFoundBeforeItsMessageEnds() {
        #expect(heard([[0x81, 100] + Array("abc".utf8), [0xFF]]) == [.failed(1007)])
        #expect(heard([frame(0x01, [0xCE, 0xBA, 0xFF])]) == [.failed(1007)])
    }

    /// Everything that a server may send, in one stream.
    static let stream: [UInt8] =
        frame(0x81, "[]") + frame(0x81, "Grüße €😀") + frame(0x89, "are you there") + frame(0x01, "one €")
        + frame(0x00, "")
        + frame(0x8A, "yes") + frame(0x80, "😀 two") + frame(0x82, [0, 255, 128])
        + frame(0x81, String(repeating: "x", count: 300))
        + frame(0x81, "") + frame(0x88, [0x03, 0xE9] + Array("going".utf8))

    @Test func everyCutOfAStreamGivesTheSameEvents() {
        let whole = heard(Self.stream)
        #expect(whole.count == 9)
        #expect(whole.last == .close(1001, "going"))
        #expect(heard(Self.stream.map { [$0] }) == whole)
        for cut in Self.stream.indices {
            #expect(heard([Array(Self.stream[..<cut]), Array(Self.stream[cut...])]) == whole)
        }
        for size in 2..<40 {
            let pieces = stride(from: 0, to: Self.stream.count, by: size).map {
                Array(Self.stream[$0..<min($0 + size, Self.stream.count)])
            }
            #expect(heard(pieces) == whole)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func nonsenseGivesEventsOrOneErrorHoweverItIsCut(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes = Self.stream
        if seed % 2 == 0 {
            // A stream with a few bytes changed goes deeper than pure noise.
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
        } else {
            bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(60, rest.count), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        let events = heard(pieces, messageByteCountMax: 1_000)
        #expect(events == heard(bytes, messageByteCountMax: 1_000), "seed \(seed)")
        #expect(events.dropLast().allSatisfy { if case .failed = $0 { false } else { true } }, "seed \(seed)")
    }

    @Test(arguments: [0, 1, 125, 126, 65_535, 65_536])
    func whatWeSendIsMaskedAndReadsBack(count: Int) throws {
        let payload = (0..<count).map { UInt8($0 % 253) }
        var output: [UInt8] = [7]
        WebSocketFrame.append(.binary, payload, maskingKey: 0x1234_5678, to: &output)
        output.removeFirst()
        #expect(output[0] == 0x82 && output[1] & 0x80 != 0)
        let headerCount = count <= 125 ? 2 : count <= 65_535 ? 4 : 10
        #expect(Array(output[headerCount..<headerCount + 4]) == [0x12, 0x34, 0x56, 0x78])
        let key = Array(output[headerCount..<headerCount + 4])
        let unmasked = output[(headerCount + 4)...].enumerated().map { $1 ^ key[$0 % 4] }
        #expect(unmasked == payload)
        output[1] &= 0x7F
        output.replaceSubrange(headerCount..., with: unmasked)
        #expect(heard(output) == [.binary(payload)])
    }

    @Test func aCloseReasonThatIsTooLongIsCutBetweenCharacters() {
        var output: [UInt8] = []
        WebSocketFrame.appendClose(1000, reason: String(repeating: "€", count: 50), maskingKey: 0, to: &output)
        output[1] &= 0x7F
        output.removeSubrange(2..<6)
        #expect(heard(output) == [.close(1000, String(repeating: "€", count: 41))])
        output.removeAll()
        WebSocketFrame.appendClose(nil, maskingKey: 1, to: &output)
        #expect(output == [0x88, 0x80, 0, 0, 0, 1])
    }

    @Test func aHugeMessageIsNotKeptInMemory() {
        var buffer = WebSocketMessageBuffer()
        let piece = [UInt8](repeating: 1, count: WebSocketMessageBuffer.keptByteCountMax)
        piece.withUnsafeBufferPointer { buffer.append($0) }
        let kept = buffer.bytes.baseAddress
        buffer.removeAll()
        #expect(buffer.bytes.baseAddress == kept)
        piece.withUnsafeBufferPointer { buffer.append($0) }
        piece.withUnsafeBufferPointer { buffer.append($0) }
        #expect(buffer.count == 2 * piece.count)
        buffer.removeAll()
        #expect(buffer.bytes.baseAddress == nil)
    }
}
