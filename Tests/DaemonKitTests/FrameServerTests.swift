import Glibc
import Shared
import Testing

@testable import DaemonKit

/// The server over real sockets, against clients with no manners.
struct FrameServerTests {
    @Test func bothSidesSayHelloAndNeitherWaits() async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            let hello = try #require(try probe.next())
            #expect(hello.type == "hello" && hello.sequence == 1)
            #expect(hello.body["daemon"] == .string("testd"))
            probe.hello()
            probe.send(Subscribe(id: 7, markets: .all))
            #expect(try probe.next(.result)?.body["id"] == .number("7"))
        }
        #expect(try await server.call { $0.received } == ["subscribe"])
        try await server.stop()
    }

    // MARK: Bytes that are no frames

    /// What is sent instead of, or after, a hello; and the documented answer.
    struct Nonsense: Sendable, CustomTestStringConvertible {
        let name: String
        let saysHello: Bool
        let bytes: [UInt8]
        let code: String
        var testDescription: String { self.name }

        init(_ name: String, saysHello: Bool = true, length: UInt32? = nil, _ text: String = "", code: String) {
            self.name = name
            self.saysHello = saysHello
            let length = length ?? UInt32(text.utf8.count)
            self.bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + Array(text.utf8)
            self.code = code
        }
    }

    static let pong = #"{"v":1,"seq":2,"type":"pong","sent_time":0,"body":{"id":1}}"#
    static let nonsense = [
        Nonsense("a length of 0", length: 0, code: "bad_length"),
        Nonsense("a length of 2 GiB", length: 1 << 31, code: "bad_length"),
        Nonsense("a length of 1 MiB and a byte", length: 1 << 20 | 1, code: "bad_length"),
        Nonsense("the longest length there is", length: .max, code: "bad_length"),
        Nonsense("HTTP", saysHello: false, length: 0x4745_5420, "/ HTTP/1.1\r\n\r\n", code: "bad_length"),
        Nonsense("no JSON", "seq=2", code: "bad_json"),
        Nonsense("half an object", #"{"v":1,"seq":2,"type":"po"#, code: "bad_json"),
        Nonsense("an array", "[1,2]", code: "bad_json"),
        Nonsense("two objects", pong + pong, code: "bad_json"),
        Nonsense("no body", #"{"v":1,"seq":2,"type":"pong","sent_time":0}"#, code: "bad_json"),
        Nonsense("no version", #"{"seq":2,"type":"pong","sent_time":0,"body":{}}"#, code: "bad_json"),
        Nonsense("a text as seq", #"{"v":1,"seq":"2","type":"pong","sent_time":0,"body":{}}"#, code: "bad_json"),
        Nonsense("brackets without end", String(repeating: "[", count: 200_000), code: "bad_json"),
        Nonsense("version 2", #"{"v":2,"seq":2,"type":"pong","sent_time":0,"body":{}}"#, code: "bad_version"),
        Nonsense("a gap in seq", #"{"v":1,"seq":3,"type":"pong","sent_time":0,"body":{"id":1}}"#, code: "bad_request"),
        Nonsense(
            "a seq that stands still", #"{"v":1,"seq":1,"type":"pong","sent_time":0,"body":{"id":1}}"#,
            code: "bad_request"),
        Nonsense(
            "no hello first", saysHello: false,
            #"{"v":1,"seq":1,"type":"subscribe","sent_time":0,"body":{"id":1,"markets":"all"}}"#, code: "bad_request"),
        Nonsense(
            "a hello without a name", saysHello: false, #"{"v":1,"seq":1,"type":"hello","sent_time":0,"body":{}}"#,
            code: "bad_json"),
        Nonsense(
            "a subscription to nothing", #"{"v":1,"seq":2,"type":"subscribe","sent_time":0,"body":{"id":1}}"#,
            code: "bad_request"),
    ]

    @Test(arguments: nonsense)
    func nonsenseGetsItsErrorAndTheEnd(nonsense: Nonsense) async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let bystander = try FrameProbe(path)
            bystander.hello()
            let probe = try FrameProbe(path)
            if nonsense.saysHello { probe.hello() }
            probe.send(nonsense.bytes)
            let error = try #require(try probe.next(.error))
            #expect(error.body["code"] == .string(nonsense.code), "\(error.body)")
            #expect(error.body["message"]?.string?.isEmpty == false)
            #expect(try probe.next() == nil, "something follows the error")
            // Nobody else notices.
            bystander.send(Subscribe(id: 3, markets: .all))
            #expect(try bystander.next(.result)?.body["ok"] == .bool(true))
        }
        try await server.stop()
    }

    @Test func whatCameBeforeNonsenseIsDoneAndWhatComesAfterIsNot() async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            probe.hello()
            probe.send(Subscribe(id: 1, markets: .all))
            probe.send([0, 0, 0, 0])
            probe.send(Subscribe(id: 2, markets: .all))
            #expect(try probe.next(.error) != nil)
            #expect(try probe.isEnded())
        }
        #expect(try await server.call { $0.received } == ["subscribe"])
        #expect(try await eventually { try await server.call { $0.goneCount } == 1 })
        try await server.stop()
    }

    @Test func unknownTypesAreHandedOnAndHarmNothing() async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            probe.hello()
            probe.send(text: #"{"body":{},"new":1,"type":"from_the_future","sent_time":0,"seq":2,"v":1}"#)
            probe.send(
                text: #"{"v":1,"seq":3,"type":"subscribe","sent_time":0,"body":{"id":1,"markets":"all","new":[]}}"#)
            #expect(try probe.next(.result)?.body["ok"] == .bool(true))
        }
        #expect(try await server.call { $0.received } == ["from_the_future", "subscribe"])
        try await server.stop()
    }

    @Test func aFrameInPiecesIsOneFrame() async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            var bytes: [UInt8] = []
            let hello = Hello(daemon: "probe", version: "1", instance: "1", pid: 1)
            EncodedFrame(hello, sentTime: .now()).write(sequence: 1, to: &bytes)
            EncodedFrame(Subscribe(id: 9, markets: .all), sentTime: .now()).write(sequence: 2, to: &bytes)
            for byte in bytes { probe.send([byte]) }
            #expect(try probe.next(.result)?.body["id"] == .number("9"))
        }
        try await server.stop()
    }

    @Test func aTornFrameEndsWithItsConnection() async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            probe.hello()
            probe.send([0, 0, 1, 0, UInt8(ascii: "{")])
        }
        #expect(try await eventually { try await server.call { $0.goneCount } == 1 })
        #expect(try await server.call { $0.received } == [])
        try await server.stop()
    }

    // MARK: Life

    @Test func whoIsSilentIsGoneWithoutAWord() async throws {
        let server = try TestServer(timing: .quick)
        let path = server.path
        try await onThread {
            // With half a frame in the air.
            let probe = try FrameProbe(path)
            probe.hello()
            probe.send([0, 0, 1, 0, UInt8(ascii: "{")])
            let start = Instant.now()
            var types: Set<String> = []
            while let frame = try probe.next() { types.insert(frame.type) }
            #expect(types == ["hello", "ping"])
            #expect(Instant.now() - start >= FrameTiming.quick.silenceMax)
        }
        #expect(try await server.call { $0.server.counters["silent"] } == 1)
        try await server.stop()
    }

    @Test func pingsAreNumberedAndTheirAnswersAreSignsOfLife() async throws {
        var timing = FrameTiming.patient
        timing.pingInterval = .milliseconds(20)
        let server = try TestServer(timing: timing)
        let path = server.path
        let probe = try await onThread {
            let probe = try FrameProbe(path)
            probe.hello()
            for id in Int64(1)...20 {
                let ping = try #require(try probe.next(.ping))
                #expect(ping.body["id"] == .number("\(id)"))
                probe.send(Pong(id: id))
            }
            return probe.duplicate()
        }
        // Nothing but its answers can have been heard so late.
        let heard = try await eventually {
            try await server.call { server in
                server.server.peers.values.contains { $0.lastHeard - $0.connectedAt > .milliseconds(200) }
            }
        }
        #expect(heard)
        close(probe)
        try await server.stop()
    }

    @Test func whoNeverSaysHelloIsGoneWhateverElseItSends() async throws {
        let server = try TestServer(timing: .quick)
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            // A frame that never becomes whole, byte by byte: alive, but of no use.
            probe.send([0, 0, 4, 0])
            while let frame = try probe.next() {
                if frame.type == "ping" { probe.send([0x20]) }
            }
        }
        #expect(try await server.call { $0.server.counters["silent"] } == 1)
        try await server.stop()
    }

    @Test func aFrameThatNeverEndsKeepsNoPlaceEither() async throws {
        let server = try TestServer(timing: .quick)
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            probe.hello()
            probe.send([0, 0, 4, 0])
            while let frame = try probe.next() {
                if frame.type == "ping" { probe.send([0x20]) }
            }
        }
        #expect(try await server.call { $0.server.counters["silent"] } == 1)
        try await server.stop()
    }

    @Test func whoSaysTooMuchOfItselfIsNotWelcome() async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let longest = String(repeating: "x", count: Hello.textByteCountMax)
            let probe = try FrameProbe(path)
            probe.send(Hello(daemon: longest, version: longest, instance: longest, pid: 1))
            probe.send(Subscribe(id: 1, markets: .all))
            #expect(try probe.next(.result) != nil)
            let talker = try FrameProbe(path)
            talker.send(Hello(daemon: longest + "x", version: "1", instance: "1", pid: 1))
            #expect(try talker.next(.error)?.body["code"] == .string("bad_json"))
        }
        try await server.stop()
    }

    @Test func stoppingSendsWhatIsQueuedAndRemovesTheSocket() async throws {
        let server = try TestServer()
        let path = server.path
        let probe = try await onThread { () -> Int32 in
            let probe = try FrameProbe(path)
            probe.hello()
            probe.send(Subscribe(id: 1, markets: .all))
            #expect(try probe.next(.result) != nil)
            return probe.duplicate()
        }
        try await server.call { server in
            server.server.publish(Metrics(values: ["last": 1]))
            server.server.stop()
        }
        #expect(UnixSocket.connect(path) == nil && errno == ENOENT)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        var received: [UInt8] = []
        while case let count = recv(probe, &bytes, bytes.count, 0), count > 0 { received += bytes[..<count] }
        #expect(String(decoding: received, as: UTF8.self).contains(#""last":1"#))
        close(probe)
    }
}
