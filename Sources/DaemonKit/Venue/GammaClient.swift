public import Shared

/// Reads the venue's listing whole. Source: reference of the discovery interface, 1.1.
public final class GammaClient {
    /// Markets of one page; the venue clamps larger wishes.
    public static let pageMarketCount = 100
    /// Listing requests a second: the venue allows 300 in ten.
    public static let requestsPerSecond: Int64 = 25
    /// Attempts at one page before the pass is given up.
    public static let attemptCountMax = 4
    /// How often a page whose cursor was there already is asked for.
    private static let repeatCountMax = 3

    public enum Failure: Error, CustomStringConvertible {
        case reading(VenueReader.Failure)
        case missing
        case listing(Listing.Problem)

        public var description: String {
            switch self {
            case .reading(let failure): "the venue's listing \(failure)"
            case .missing: "the venue's listing answered with status 404"
            case .listing(let problem): "the venue's listing holds \(problem)"
            }
        }
    }

    private let reader: VenueReader

    /// - Parameter loop: on which the reading runs.
    public init(client: RESTClient, baseURL: String, loop: EventLoop, seed: UInt64) {
        self.reader = VenueReader(
            client: client, baseURL: baseURL, requestsPerSecond: Self.requestsPerSecond, loop: loop, seed: seed)
    }

    /// Reads every page of the active markets into `listing`, within the venue's rate limit.
    public func readAll(into listing: inout Listing) async throws(Failure) {
        var cursor: String?
        var repeatCount = 0
        while true {
            let page = try await self.page(after: cursor)
            do throws(Listing.Problem) {
                cursor = try listing.take(page)
            } catch {
                repeatCount += 1
                guard error == .repeatedCursor, repeatCount < Self.repeatCountMax else { throw .listing(error) }
                continue
            }
            repeatCount = 0
            guard cursor != nil else { return }
        }
    }

    private func page(after cursor: String?) async throws(Failure) -> JSONValue {
        var path = "/markets/keyset?limit=\(Self.pageMarketCount)&active=true&closed=false&include_tag=true"
        if let cursor { path += "&after_cursor=\(QueryText.escape(cursor))" }
        let answer: VenueReader.Answer
        do throws(VenueReader.Failure) {
            answer = try await self.reader.get(
                path, keeping: GammaMarket.memberNames, attemptCountMax: Self.attemptCountMax)
        } catch {
            throw .reading(error)
        }
        guard case .value(let page) = answer else { throw .missing }
        return page
    }
}
