public import Shared

/// Asks a public service of the venue, patiently and within a rate. Confined to its loop.
public final class VenueReader {
    private static let timeout = Duration.seconds(10)
    /// Longest pause of the venue's that a question waits out.
    private static let waitMax = Duration.seconds(30)
    /// Longest pause that the venue may ask for: what lies beyond it would keep us blind for its mistake.
    static let pauseMax = Duration.seconds(600)

    public enum Failure: Error, CustomStringConvertible {
        case status(Int)
        case transport(RESTError)
        case malformed(JSONError)
        /// Not asked: the venue wants to be left alone for a while.
        case paused
        case cancelled

        public var description: String {
            switch self {
            case .status(let status): "answered with status \(status)"
            case .transport(let error): "\(error)"
            case .malformed(let error): "holds \(error)"
            case .paused: "asked to be left alone for a while"
            case .cancelled: "the question was withdrawn"
            }
        }
    }

    public enum Answer: Sendable {
        case value(JSONValue)
        /// Status 404.
        case missing
    }

    private let client: RESTClient
    private let baseURL: String
    private let loop: EventLoop
    private var bucket: TokenBucket
    private var random: SeededRandom
    /// Nothing is asked before, whichever question was answered so.
    private var pausedUntil: Instant?
    /// Called once when a pause begins that is too long for questions to wait; they fail until it is over.
    public var onPause: (Duration) -> Void = { _ in }

    /// - Parameters:
    ///   - requestsPerSecond: more wait for their turn.
    ///   - loop: on which the reading runs.
    public init(client: RESTClient, baseURL: String, requestsPerSecond: Int64, loop: EventLoop, seed: UInt64) {
        self.client = client
        self.baseURL = baseURL
        self.loop = loop
        self.bucket = TokenBucket(rate: requestsPerSecond, burst: requestsPerSecond, now: .now())
        self.random = SeededRandom(seed: seed)
    }

    /// Gets `path`. What is broken or in trouble is asked again, with short waits: who starts beside a venue that is not
    /// there yet is to find it soon.
    ///
    /// - Parameters:
    ///   - names: the members that are kept; `nil` for all.
    ///   - attemptCountMax: attempts before the question is given up.
    public func get(
        _ path: String, keeping names: MemberNames?, attemptCountMax: Int
    ) async throws(Failure) -> Answer {
        var backoff = Backoff(first: .milliseconds(500), longest: .seconds(1))
        while true {
            try await self.waitForTurn()
            let failure: Failure
            switch await self.attempt(path, names) {
            case .success(let answer): return answer
            case .failure(.status(let status), let retryAfter):
                // What the venue will not answer another way is not asked again.
                if status < 500 && status != 429 && status != 425 { throw .status(status) }
                failure = .status(status)
                if let retryAfter { self.pause(retryAfter) }
            case .failure(let other, _): failure = other
            }
            let wait = backoff.next(using: &self.random)
            guard backoff.failureCount < attemptCountMax else { throw failure }
            try await self.sleep(wait)
        }
    }

    private func waitForTurn() async throws(Failure) {
        while true {
            let now = Instant.now()
            let pause = self.pauseLeft(now)
            guard pause <= Self.waitMax else { throw .paused }
            if pause == .zero && self.bucket.take(now: now) { return }
            try await self.sleep(max(pause, self.bucket.wait(now: now) ?? .seconds(1)))
        }
    }

    private func pauseLeft(_ now: Instant) -> Duration { max(.zero, (self.pausedUntil ?? now) - now) }

    private func pause(_ duration: Duration) {
        let now = Instant.now()
        let isKnown = self.pauseLeft(now) > Self.waitMax
        let until = now + min(duration, Self.pauseMax)
        // Answers of requests sent together may come in any order: the longest pause counts.
        self.pausedUntil = max(self.pausedUntil ?? until, until)
        let left = self.pauseLeft(now)
        if left > Self.waitMax && !isKnown { self.onPause(left) }
    }

    private enum Attempt {
        case success(Answer)
        case failure(Failure, retryAfter: Duration?)
    }

    private func attempt(_ path: String, _ names: MemberNames?) async -> Attempt {
        let response: RESTResponse
        do {
            response = try await self.client.request(RESTRequest(url: self.baseURL + path, timeout: Self.timeout))
        } catch {
            return .failure(.transport(error), retryAfter: nil)
        }
        if response.status == 404 { return .success(.missing) }
        guard response.isSuccess else { return .failure(.status(response.status), retryAfter: response.retryAfter) }
        do throws(JSONError) {
            guard let names else { return .success(.value(try JSONValue(parsing: response.body))) }
            return .success(.value(try JSONValue(parsing: response.body, keeping: names)))
        } catch {
            return .failure(.malformed(error), retryAfter: nil)
        }
    }

    private func sleep(_ duration: Duration) async throws(Failure) {
        await self.loop.sleep(for: duration)
        if Task.isCancelled { throw .cancelled }
    }
}
