import Shared
import Testing

@testable import DaemonKit

/// A public service of the venue that answers badly is asked again, and given up in the end.
@Suite struct VenueReaderTests {
    private static let page = #"{"markets":[{"slug":"a","x":1}]}"#

    private static func answer(_ status: String, _ body: String, _ head: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(head)\r\n\(body)"
    }

    /// Serves the answers one after the other, the last for ever.
    private func read(_ answers: [String], attempts: Int = 4) async throws -> (Result<JSONValue?, any Error>, Int) {
        let served = Mutexed(0)
        let server = try RawServer { connection in
            while !connection.receive(until: "\r\n\r\n").isEmpty {
                served.change { $0 += 1 }
                connection.send(answers[min(served.value, answers.count) - 1])
            }
        }
        let loop = try EventLoop()
        let client = try RESTClientTests.client()
        defer { client.stop() }
        let result = Mutexed<Result<JSONValue?, any Error>>(.success(nil))
        let url = "http://127.0.0.1:\(server.port)"
        Task.detached(executorPreference: loop) {
            let reader = VenueReader(client: client, baseURL: url, requestsPerSecond: 100, loop: loop, seed: 1)
            do {
                let answer = try await reader.get(
                    "/markets", keeping: MemberNames(["markets", "slug"]), attemptCountMax: attempts)
                if case .value(let value) = answer { result.change { $0 = .success(value) } }
            } catch {
                result.change { $0 = .failure(error) }
            }
            loop.stop()
        }
        loop.run()
        return (result.value, served.value)
    }

    @Test(arguments: [
        answer("503 Busy", ""), answer("429 Slow", "", "Retry-After: 0\r\n"), answer("425 Early", ""),
        answer("200 OK", #"{"markets":[{"slug":"a","#), answer("200 OK", ""), answer("200 OK", "\u{FEFF}nonsense"),
    ])
    func aBrokenAnswerIsAskedForAgain(broken: String) async throws {
        let (result, count) = try await self.read([broken, Self.answer("200 OK", Self.page)])
        let kept = JSONValue.object(["markets": .array([.object(["slug": .string("a")])])])
        #expect(try result.get() == kept && count == 2, "what nobody asked for is left out")
    }

    @Test func whatStaysBrokenIsGivenUp() async throws {
        let (result, count) = try await self.read([Self.answer("200 OK", "{")], attempts: 2)
        #expect(throws: VenueReader.Failure.self) { try result.get() }
        #expect(count == 2)
    }

    @Test func whatIsMissingOrForbiddenIsAskedOnce() async throws {
        let (missing, once) = try await self.read([Self.answer("404 None", "")])
        #expect(try missing.get() == nil && once == 1)
        let (forbidden, again) = try await self.read([Self.answer("403 No", "")])
        #expect(throws: VenueReader.Failure.self) { try forbidden.get() }
        #expect(again == 1)
    }

    /// The venue allows 300 questions for its listing in ten seconds.
    @Test func noMoreIsAskedThanTheVenueAllows() throws {
        #expect(GammaClient.requestsPerSecond * (10 + 1) <= 300, "a second's worth may go at once")
        let server = try RawServer { connection in
            while !connection.receive(until: "\r\n\r\n").isEmpty { connection.send(Self.answer("200 OK", Self.page)) }
        }
        let loop = try EventLoop()
        let client = try RESTClientTests.client()
        defer { client.stop() }
        let url = "http://127.0.0.1:\(server.port)"
        let taken = Mutexed(Duration.zero)
        Task.detached(executorPreference: loop) {
            let reader = VenueReader(client: client, baseURL: url, requestsPerSecond: 20, loop: loop, seed: 1)
            let start = ContinuousClock.now
            for _ in 0..<50 {
                _ = try? await reader.get("/markets", keeping: MemberNames(["markets"]), attemptCountMax: 1)
            }
            taken.change { $0 = ContinuousClock.now - start }
            loop.stop()
        }
        loop.run()
        // Twenty at once, and thirty at their rate.
        #expect(taken.value >= .milliseconds(1_490), "\(taken.value)")
    }

    // MARK: Pauses

    private struct Asked {
        var outcomes: [String] = []
        var pauses: [Duration] = []
        var duration = Duration.zero
    }

    /// Asks one question after the other, with so many attempts each; the last answer is served for ever.
    private func ask(_ answers: [String], attempts: [Int]) throws -> (asked: Asked, servedCount: Int) {
        let served = Mutexed(0)
        let server = try RawServer { connection in
            while !connection.receive(until: "\r\n\r\n").isEmpty {
                served.change { $0 += 1 }
                connection.send(answers[min(served.value, answers.count) - 1])
            }
        }
        let loop = try EventLoop()
        let client = try RESTClientTests.client()
        defer { client.stop() }
        let asked = Mutexed(Asked())
        let url = "http://127.0.0.1:\(server.port)"
        Task.detached(executorPreference: loop) {
            let reader = VenueReader(client: client, baseURL: url, requestsPerSecond: 100, loop: loop, seed: 1)
            reader.onPause = { duration in asked.change { $0.pauses.append(duration) } }
            let start = Instant.now()
            for attemptCount in attempts {
                let outcome: String
                do throws(VenueReader.Failure) {
                    _ = try await reader.get("/markets", keeping: nil, attemptCountMax: attemptCount)
                    outcome = "answered"
                } catch {
                    outcome = "\(error)"
                }
                asked.change { $0.outcomes.append(outcome) }
            }
            let duration = Instant.now() - start
            asked.change { $0.duration = duration }
            loop.stop()
        }
        loop.run()
        return (asked.value, served.value)
    }

    @Test func aLongPauseHoldsForEveryQuestionAndIsToldOnce() throws {
        let busy = Self.answer("429 Slow", "", "Retry-After: 3000\r\n")
        let (asked, servedCount) = try self.ask([busy], attempts: [4, 1, 4, 2])
        #expect(servedCount == 1)
        #expect(asked.outcomes == Array(repeating: "asked to be left alone for a while", count: 4))
        #expect(asked.pauses.count == 1)
        #expect(asked.pauses.allSatisfy { $0 > .seconds(590) && $0 <= VenueReader.pauseMax }, "\(asked.pauses)")
    }

    @Test func aShortPauseIsWaitedOutByTheNextQuestionToo() throws {
        let busy = Self.answer("429 Slow", "", "Retry-After: 1\r\n")
        let (asked, servedCount) = try self.ask([busy, Self.answer("200 OK", Self.page)], attempts: [1, 1])
        #expect(servedCount == 2 && asked.outcomes == ["answered with status 429", "answered"])
        #expect(asked.duration >= .seconds(1) && asked.pauses == [])
    }
}
