public import Shared

/// Reads the venue's listing. Source: reference of the discovery interface, 1.1.
public struct GammaClient: Sendable {
    /// Markets of one page; the venue clamps larger wishes.
    public static let pageMarketCount = 100
    /// Attempts at one page before the pass is given up.
    private static let attemptCountMax = 4
    private static let timeout = Duration.seconds(10)
    /// Longest wait that the venue may ask for.
    private static let waitMax = Duration.seconds(30)
    /// Listing requests a second: the venue allows 300 in ten.
    private static let requestsPerSecond: Int64 = 25

    public enum Failure: Error, CustomStringConvertible {
        case status(Int)
        case transport(RESTError)
        case malformed(JSONError)
        case listing(Listing.Problem)
        case cancelled

        public var description: String {
            switch self {
            case .status(let status): "the venue's listing answered with status \(status)"
            case .transport(let error): "the venue's listing: \(error)"
            case .malformed(let error): "the venue's listing holds \(error)"
            case .listing(let problem): "the venue's listing holds \(problem)"
            case .cancelled: "the pass was cancelled"
            }
        }
    }

    private let client: RESTClient
    private let baseURL: String
    private let loop: EventLoop

    /// - Parameter loop: on which the reading runs.
    public init(client: RESTClient, baseURL: String, loop: EventLoop) {
        self.client = client
        self.baseURL = baseURL
        self.loop = loop
    }

    /// Reads every page of the active markets into `listing`, within the venue's rate limit.
    ///
    /// - Parameter random: for the waits between attempts.
    public func readAll(
        into listing: inout Listing, using random: inout some RandomNumberGenerator
    ) async throws(Failure) {
        var bucket = TokenBucket(rate: Self.requestsPerSecond, burst: Self.requestsPerSecond, now: .now())
        var cursor: String?
        repeat {
            if let wait = bucket.wait(now: .now()), wait > .zero { try await self.sleep(wait) }
            _ = bucket.take(now: .now())
            let page = try await self.page(after: cursor, using: &random)
            do { cursor = try listing.take(page) } catch { throw .listing(error) }
        } while cursor != nil
    }

    private func page(
        after cursor: String?, using random: inout some RandomNumberGenerator
    ) async throws(Failure) -> JSONValue {
        var url = "\(self.baseURL)/markets/keyset?limit=\(Self.pageMarketCount)&active=true&closed=false"
        if let cursor { url += "&after_cursor=\(Self.escape(cursor))" }
        // Short waits: who starts beside a venue that is not there yet is to find it soon.
        var backoff = Backoff(first: .milliseconds(500), longest: .seconds(1))
        while true {
            var wait = backoff.next(using: &random)
            switch await self.attempt(url) {
            case .success(let page): return page
            case .failure(.status(let status), let retryAfter):
                // What the venue will not answer another way is not asked again.
                if status < 500 && status != 429 && status != 425 { throw .status(status) }
                wait = min(Self.waitMax, max(wait, retryAfter ?? .zero))
                guard backoff.failureCount < Self.attemptCountMax else { throw .status(status) }
            case .failure(let failure, _):
                guard backoff.failureCount < Self.attemptCountMax else { throw failure }
            }
            try await self.sleep(wait)
        }
    }

    private enum Attempt {
        case success(JSONValue)
        case failure(Failure, retryAfter: Duration?)
    }

    private func attempt(_ url: String) async -> Attempt {
        let response: RESTResponse
        do {
            response = try await self.client.request(RESTRequest(url: url, timeout: Self.timeout))
        } catch {
            return .failure(.transport(error), retryAfter: nil)
        }
        guard response.isSuccess else { return .failure(.status(response.status), retryAfter: response.retryAfter) }
        do {
            return .success(try JSONValue(parsing: response.body))
        } catch {
            return .failure(.malformed(error), retryAfter: nil)
        }
    }

    private func sleep(_ duration: Duration) async throws(Failure) {
        await self.loop.sleep(for: duration)
        if Task.isCancelled { throw .cancelled }
    }

    /// Percent-encodes everything that a query value may not hold.
    private static func escape(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                escaped.append(byte)
            default: escaped += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
