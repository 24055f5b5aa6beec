import Shared
import Testing

@testable import DaemonKit

/// The real feedd against a client that talks nonsense, with a subscriber beside it that must notice nothing.
struct ProtocolFloodTests {
    fileprivate static func run(_ script: String, _ arguments: [String]) async throws -> JSONValue {
        let program = try RunningProgram(Programs.python, [Programs.peer(script)] + arguments)
        let ending = try await program.waitForEnd(within: .seconds(60))
        #expect(ending == .exited(0), "\(program.report)")
        return try JSONValue(parsing: Array(program.text(of: .output).utf8))
    }

    fileprivate static func expectUndisturbed(_ observer: JSONValue?) throws {
        let observer = try #require(observer)
        #expect(observer["frames"]?.integer ?? 0 > 0, "\(observer)")
        #expect(observer["gaps"]?.integer == 0 && observer["errors"]?.integer == 0, "\(observer)")
        #expect(observer["ended"] == .bool(false), "\(observer)")
        #expect(observer["delay_ms"]?.integer ?? .max < 5_000, "\(observer)")
    }

    @Test func nonsenseGetsTheDocumentedAnswers() async throws {
        let pipeline = try await Pipeline(["--markets", "3", "--rate", "200", "--seed", "31"])
        let result = try await Self.run("feedd_nonsense.py", [pipeline.feedSocket])
        let expected: [String: JSONValue] = [
            "length 0": .string("bad_length"), "length 2 GiB": .string("bad_length"), "torn frame": .string("the end"),
            "invalid JSON": .string("bad_json"), "unknown version": .string("bad_version"),
            "no such market": .string("bad_request"), "markets of no kind": .string("bad_request"),
            "a gap": .string("bad_request"), "unknown type": .string("result"),
        ]
        #expect(result["answers"]?.object == expected)
        try Self.expectUndisturbed(result["observer"])
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}

/// Floods of connections load the whole machine: beside other tests they would be the disturbance that those measure.
@Suite(.serialized, .enabled(if: Programs.variable("POLYBOT_SOAK") != nil, "a flood: `make soak` runs it"))
struct FloodSoakTests {
    @Test func tenThousandConnectionsGetTheirAnswersAndASubscriberNoticesNothing() async throws {
        let pipeline = try await Pipeline(["--markets", "5", "--rate", "300", "--seed", "32"])
        let result = try await ProtocolFloodTests.run(
            "feedd_flood.py", [pipeline.feedSocket, "10000", "1", "\(pipeline.feed.pid)"])
        let answers = try #require(result["answers"]?.object)
        // The observer has one place, and scannerd another: it hears of new and ended markets.
        let places = Int64(FramePlaces.countMax - 2)
        // Who says nothing for long enough makes room for another.
        let welcomed = answers["hello"]?.integer ?? 0
        #expect(welcomed >= places, "\(answers)")
        #expect(answers["too_many"]?.integer == 10_000 - welcomed, "\(answers)")
        #expect(result["after"] == .string("hello"))
        try ProtocolFloodTests.expectUndisturbed(result["observer"])
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }

    @Test func withoutDescriptorsFeeddWaitsInsteadOfSpinning() async throws {
        let pipeline = try await Pipeline(
            ["--markets", "3", "--rate", "50", "--seed", "33"], feedOpenFilesMax: 40)
        let result = try await ProtocolFloodTests.run(
            "feedd_flood.py", [pipeline.feedSocket, "100", "1.5", "\(pipeline.feed.pid)"])
        let answers = try #require(result["answers"]?.object)
        #expect((1..<40).contains(answers["hello"]?.integer ?? 0), "\(answers)")
        #expect(answers["too_many"] == nil)
        #expect(result["cpu_ms"]?.integer ?? .max < 750, "\(result)")
        #expect(result["after"] == .string("hello"))
        try ProtocolFloodTests.expectUndisturbed(result["observer"])
        #expect(pipeline.feed.text(of: .errors).contains("Cannot accept connections for a moment"))
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}
