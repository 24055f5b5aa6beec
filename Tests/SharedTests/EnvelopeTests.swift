import Shared
import Testing

@Suite struct EnvelopeTests {
    private func read<Value>(_ text: String, _ body: (Envelope) throws -> Value) throws -> Value {
        var copy = text
        return try copy.withUTF8 { bytes in try body(try Envelope(reading: bytes)) }
    }

    @Test func aFrameIsWrittenAsTheContractShowsIt() throws {
        let frame = EncodedFrame(Ping(id: 7), sentTime: Timestamp(microseconds: 1_790_000_000_000_000))
        var bytes: [UInt8] = [42]
        frame.write(sequence: 812, to: &bytes)
        let text = #"{"v":1,"seq":812,"type":"ping","sent_time":1790000000000000,"body":{"id":7}}"#
        #expect(bytes == [42, 0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8))
        #expect(frame.byteCount(sequence: 812) == bytes.count - 1)
    }

    @Test(arguments: [1, 9, 10, 99, 100, 999_999_999, Int64.max]) func theLengthCountsEveryDigitOfTheSequence(
        sequence: Int64
    ) {
        let frame = EncodedFrame(Ping(id: 7), sentTime: Timestamp(microseconds: 0))
        var bytes: [UInt8] = []
        frame.write(sequence: sequence, to: &bytes)
        #expect(bytes.count == frame.byteCount(sequence: sequence))
        #expect(Int(bytes[3]) == bytes.count - 4)
    }

    @Test func whatWasWrittenIsRead() throws {
        let frame = EncodedFrame(Ping(id: 7), sentTime: Timestamp(microseconds: 1_790_000_000_000_000))
        var bytes: [UInt8] = []
        frame.write(sequence: 3, to: &bytes)
        try bytes[4...].withUnsafeBufferPointer { buffer in
            let envelope = try Envelope(reading: buffer)
            #expect(envelope.sequence == 3 && envelope.type == "ping")
            #expect(envelope.sentTime == Timestamp(microseconds: 1_790_000_000_000_000))
            #expect(try envelope.decode(Ping.self) == Ping(id: 7))
        }
    }

    @Test func aCommandIsWrittenAndReadWithItsWholeBody() throws {
        let body = JSONValue.object(["id": .number("5"), "reason": .string("night")])
        let frame = EncodedFrame(type: .halt, body: body, sentTime: Timestamp(microseconds: 1))
        #expect(
            String(decoding: frame.tail, as: UTF8.self)
                == #","type":"halt","sent_time":1,"body":{"id":5,"reason":"night"}}"#)
        let command = try self.read(#"{"v":1,"seq":1,"type":"halt","sent_time":1,"body":{"id":5,"reason":"night"}}"#) {
            try Command($0)
        }
        #expect(command.id == 5 && command.body == body)
    }

    @Test func membersMayComeInAnyOrderAndMoreMayBeAdded() throws {
        let members = [
            #""v":1"#, #""seq":3"#, #""type":"ping""#, #""sent_time":5"#, #""body":{"id":7}"#, #""new":[{"v":2}]"#,
        ]
        var random = SeededRandom(seed: 1)
        for _ in 0..<200 {
            let text = "{" + members.shuffled(using: &random).joined(separator: " , ") + "}"
            let (sequence, ping) = try self.read(text) { ($0.sequence, try $0.decode(Ping.self)) }
            #expect(sequence == 3 && ping == Ping(id: 7))
        }
    }

    @Test(arguments: ["v", "seq", "type", "sent_time", "body"]) func everyMemberIsNeeded(name: String) {
        let text = #"{"v":1,"seq":3,"type":"ping","sent_time":5,"body":{"id":7}}"#.replacing(
            "\"\(name)\"", with: "\"other\"")
        let error = #expect(throws: FrameError.self) { try self.read(text) { _ in } }
        guard case .badJSON(let problem)? = error else { return #expect(error == nil) }
        #expect(problem.problem == .missing && problem.member == name)
    }

    @Test(arguments: [0, 2, -1, Int64.max]) func anotherVersionIsRefusedBeforeAnythingElse(version: Int64) {
        let error = #expect(throws: FrameError.self) { try self.read(#"{"v":\#(version),"what":"ever"}"#) { _ in } }
        #expect(error == .badVersion(version) && error?.code == .badVersion)
        #expect(error?.description.contains("this program speaks 1") == true)
    }

    @Test(arguments: [
        "", "[]", "null", "{", "{}x", #"{"v":"1","seq":3,"type":"ping","sent_time":5,"body":{}}"#,
        #"{"v":1,"seq":3.5,"type":"ping","sent_time":5,"body":{}}"#,
        #"{"v":1,"seq":3,"type":7,"sent_time":5,"body":{}}"#,
        #"{"v":1,"seq":3,"type":"ping","sent_time":-5,"body":{}}"#,
        #"{"v":1,"seq":3,"type":"ping","sent_time":5,"body":{]}"#,
        #"{"v":1,"seq":3,"type":"ping","sent_time":9223372036854775807,"body":{}}"#,
    ])
    func whatIsNoEnvelopeIsBadJSON(text: String) {
        let error = #expect(throws: FrameError.self) { try self.read(text) { _ in } }
        #expect(error?.code == .badJSON)
    }

    @Test func everyCutOfAFrameIsRefused() throws {
        let text = #"{"v":1,"seq":3,"type":"ping","sent_time":5,"body":{"id":7,"x":[1,{"y":"\u00e9"}]}}"#
        for end in 0..<text.utf8.count {
            let cut = String(decoding: Array(text.utf8)[..<end], as: UTF8.self)
            #expect(throws: FrameError.self, "cut at \(end)") { try self.read(cut) { _ in } }
        }
    }

    @Test func aBodyOfAnotherKindIsBadJSON() throws {
        try self.read(#"{"v":1,"seq":3,"type":"ping","sent_time":5,"body":[7]}"#) { envelope in
            _ = #expect(throws: FrameError.self) { try envelope.decode(Ping.self) }
        }
    }
}
