import DaemonKit
import Shared

/// What `feedd` asks of the venue's REST interface.
struct VenueBooks: Sendable {
    /// Books in one `POST /books`.
    static let bookCountMax = 500
    static let timeout = Duration.seconds(5)

    enum Failure: Error, CustomStringConvertible {
        /// With the pause that the venue asks for.
        case status(Int, retryAfter: Duration?)
        case transport(RESTError)
        case malformed(JSONError)

        /// Whether it says something of the venue's health rather than of what was asked.
        var isOfTheVenue: Bool {
            switch self {
            case .status(let status, _): status >= 500 || status == 429
            case .transport, .malformed: true
            }
        }

        var retryAfter: Duration? { if case .status(_, let pause) = self { pause } else { nil } }

        var description: String {
            switch self {
            case .status(let status, _): "the venue answered with status \(status)"
            case .transport(let error): "\(error)"
            case .malformed(let error): "the answer holds \(error)"
            }
        }
    }

    let client: RESTClient
    let baseURL: String

    /// The book of one token.
    func book(_ token: TokenID) async throws(Failure) -> (book: RESTBook, duration: Duration) {
        let (value, duration) = try await self.ask(
            RESTRequest(url: "\(self.baseURL)/book?token_id=\(token)", timeout: Self.timeout))
        do { return (try RESTBook(value), duration) } catch { throw .malformed(error) }
    }

    /// The books of at most `bookCountMax` tokens; unknown ones are left out by the venue, malformed ones by us.
    func books(
        _ tokens: [TokenID], within timeout: Duration = VenueBooks.timeout
    ) async throws(Failure) -> (books: [RESTBook], malformed: Int, duration: Duration) {
        precondition(tokens.count <= Self.bookCountMax, "the venue refuses more")
        var writer = JSONWriter()
        writer.array {
            for token in tokens {
                $0.object {
                    $0.key("token_id")
                    $0.string(token.description)
                }
            }
        }
        let request = RESTRequest(.post, url: "\(self.baseURL)/books", body: writer.bytes, timeout: timeout)
        let (value, duration) = try await self.ask(request)
        guard let values = value.array else { throw .malformed(JSONError(.unexpected, at: 0)) }
        let books = values.compactMap { try? RESTBook($0) }
        return (books, values.count - books.count, duration)
    }

    /// The terms of a market that the scanner does not list.
    func market(_ condition: ConditionID) async throws(Failure) -> (market: Market, duration: Duration) {
        let (value, duration) = try await self.ask(
            RESTRequest(url: "\(self.baseURL)/clob-markets/\(condition)", timeout: Self.timeout))
        let terms: ClobTerms
        do { terms = try ClobTerms(value) } catch { throw .malformed(error) }
        let market = Market(
            condition: condition, slug: "", question: "", first: terms.first, second: terms.second, tick: terms.tick,
            sizeMin: terms.sizeMin, isNegRisk: terms.isNegRisk, event: "", startTime: nil,
            endTime: Timestamp(microseconds: 0), feeRate: terms.feeRate, feeExponent: terms.feeExponent,
            hasTakerDelay: terms.hasTakerDelay, rewards: nil, settlement: .other, asset: nil)
        return (market, duration)
    }

    /// Which outcome won, 0 or 1; `nil` while the market is not closed, or has no winner.
    func winner(of market: Market) async throws(Failure) -> (winner: Int64?, duration: Duration) {
        let (value, duration) = try await self.ask(
            RESTRequest(url: "\(self.baseURL)/markets/\(market.condition)", timeout: Self.timeout))
        guard value["condition_id"]?.string.flatMap({ ConditionID($0) }) == market.condition,
            let isClosed = value["closed"]?.bool, let tokens = value["tokens"]?.array
        else { throw .malformed(JSONError(.missing, at: 0, member: "closed")) }
        guard isClosed else { return (nil, duration) }
        let winners = tokens.filter { $0["winner"]?.bool == true }.map {
            $0["token_id"]?.string.flatMap { TokenID($0) }
        }
        guard let winner = winners.first, winners.count == 1 else { return (nil, duration) }
        guard let winner, let outcome = [market.first.token, market.second.token].firstIndex(of: winner) else {
            throw .malformed(JSONError(.wrongValue, at: 0, member: "winner"))
        }
        return (Int64(outcome), duration)
    }

    /// What the venue answered, and how long that took it.
    private func ask(_ request: RESTRequest) async throws(Failure) -> (value: JSONValue, duration: Duration) {
        let response: RESTResponse
        do { response = try await self.client.request(request) } catch { throw .transport(error) }
        guard response.isSuccess else { throw .status(response.status, retryAfter: response.retryAfter) }
        do { return (try JSONValue(parsing: response.body), response.duration) } catch { throw .malformed(error) }
    }
}
