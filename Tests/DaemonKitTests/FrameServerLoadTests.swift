import CLinux
import Glibc
import Shared
import Testing

@testable import DaemonKit

/// The server with subscribers that are slow, many, or somebody else's.
struct FrameServerLoadTests {
    // MARK: Slow subscribers

    /// Reads all that comes until `isEnough`, answering nothing.
    private static func follow(
        _ probe: FrameProbe, into follower: inout ProtocolFollower, until isEnough: (ProtocolFollower) -> Bool
    ) {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while !isEnough(follower) {
            let count = recv(probe.descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            follower.receive(buffer[..<count])
        }
    }

    private static func subscribe(_ path: String) throws -> FrameProbe {
        let probe = try FrameProbe(path)
        probe.hello()
        probe.send(Subscribe(id: 1, markets: .all))
        return probe
    }

    @Test func aSlowReaderOfBooksGetsSnapshotsAndEndsWhereThePublisherIs() async throws {
        let server = try TestServer()
        let path = server.path
        try await server.call { server in for n in Int64(1)...3 { server.markets[n] = ProtocolMarket(n) } }
        let slow = try await onThread { try Self.subscribe(path).duplicate() }
        #expect(try await eventually { try await server.call { $0.received.count } == 1 })
        // Some megabytes of changes, while nobody reads.
        for _ in 0..<20 {
            try await server.call { server in
                for step in 0..<100 { server.change(Int64(1 + step % 3), levels: 60) }
            }
        }
        let expected = try await server.call { server in
            server.server.publish(ResultBody(id: 2, .ok(nil)))
            return server.markets.mapValues(\.book)
        }
        #expect(try await server.call { $0.server.peers.count } == 1)
        let follower = try await onThread {
            var follower = ProtocolFollower()
            let probe = FrameProbe(owning: slow)
            Self.follow(probe, into: &follower) { $0.results == [1, 2] && $0.books == expected }
            return follower
        }
        #expect(follower.violations == [])
        #expect(follower.books == expected)
        #expect(follower.conflated > 100, "the queue was never full")
        #expect(follower.errors == [])
        #expect(try await server.call { $0.server.counters["conflated"] ?? 0 } > 0)
        try await server.stop()
    }

    @Test func aSlowReaderOfWhatMayNotBeLostIsToldSoAndDisconnected() async throws {
        var timing = FrameTiming.patient
        timing.lingerMax = .seconds(30)
        let server = try TestServer(timing: timing)
        let path = server.path
        let slow = try await onThread { try Self.subscribe(path).duplicate() }
        #expect(try await eventually { try await server.call { $0.received.count } == 1 })
        let published = try await server.call { server in
            let text = String(repeating: "x", count: 10_000)
            var id: Int64 = 1
            while server.server.counters["ended_slow_consumer"] == nil && id < 10_000 {
                id += 1
                server.server.publish(ResultBody(id: id, .ok(.string(text))))
            }
            return id
        }
        #expect(published < 10_000)
        let follower = try await onThread {
            var follower = ProtocolFollower()
            Self.follow(FrameProbe(owning: slow), into: &follower) { _ in false }
            return follower
        }
        // What was begun, without a gap, then the reason, then the end.
        #expect(follower.violations == [])
        #expect(follower.errors.map(\.code) == [.slowConsumer])
        #expect(follower.results == Array(1...Int64(follower.results.count)))
        #expect(follower.results.count < published)
        #expect(try await eventually { try await server.call { $0.goneCount } == 1 })
        try await server.stop()
    }

    @Test func aReaderThatTakesNothingAtAllIsGoneAfterTheLinger() async throws {
        var timing = FrameTiming.patient
        timing.lingerMax = .milliseconds(50)
        let server = try TestServer(timing: timing)
        let path = server.path
        let deaf = try await onThread { try Self.subscribe(path).duplicate() }
        #expect(try await eventually { try await server.call { $0.received.count } == 1 })
        try await server.call { server in
            let text = String(repeating: "x", count: 500_000)
            for id in Int64(2)...9 {
                server.server.publish(ResultBody(id: id, .ok(.string(text))))
            }
        }
        #expect(try await eventually { try await server.call { $0.goneCount } == 1 })
        close(deaf)
        try await server.stop()
    }

    // MARK: Many

    @Test func aThousandAtOnceGetHelloOrTooManyAndOthersAreServed() async throws {
        let server = try TestServer()
        let path = server.path
        try await server.call { $0.markets[1] = ProtocolMarket(1) }
        clinux_raise_open_files()
        let answers = try await onThread {
            let subscriber = try Self.subscribe(path)
            #expect(try subscriber.next(.book) != nil)
            var probes: [FrameProbe] = []
            var answers: [String: Int] = [:]
            for _ in 0..<1_000 {
                let probe = try FrameProbe(path)
                probes.append(probe)
                let frame = try #require(try probe.next())
                #expect(frame.sequence == 1)
                answers[frame.body["code"]?.string ?? frame.type, default: 0] += 1
                if frame.type == "error" { #expect(try probe.isEnded()) }
            }
            return answers
        }
        #expect(answers == ["hello": FramePlaces.countMax - 1, "too_many": 1_000 - FramePlaces.countMax + 1])
        // All of them have left: there is room again.
        #expect(try await eventually { try await server.call { $0.server.peers.isEmpty } })
        let first = try await onThread { try FrameProbe(path).next()?.type }
        #expect(first == "hello")
        try await server.stop()
    }

    // MARK: Ours

    @Test func theSameUserIsTheOperatorOutsideSystemd() async throws {
        let server = try TestServer()
        let path = server.path
        try await onThread {
            let probe = try Self.subscribe(path)
            #expect(try probe.next(.result) != nil)
        }
        let credentials = try await server.call { $0.credentials }
        #expect(credentials.map(\.isOperator) == [true] && credentials.map(\.pid) == [getpid()])
        try await server.stop()
    }
}
