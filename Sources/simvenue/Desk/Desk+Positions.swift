import Shared
import Signing

/// The Data API's positions: for everybody, of any wallet. Source: reference, 7.
extension Desk {
    /// What the page goes on showing while it is behind.
    struct StalePositions: Hashable, Sendable {
        let since: Timestamp
        let until: Timestamp
        /// Whether `/v2/status` admits it.
        let isTold: Bool
        let sizes: [AccountID: [OutcomePlace: Quantity]]
    }

    /// Smallest holding that is listed where the request does not say.
    private static let sizeMin: Int64 = 100_000
    private static let endDateByteCount = 10
    private static let balancesName = "custody_balances"

    /// What a wallet holds, largest first. A wallet that nobody knows holds nothing.
    func positions(_ request: PageRequest, _ engine: MatchingEngine, at time: Timestamp) -> Answer {
        guard let wallet = request.value("user").flatMap({ Address($0) }) else { return .error(400, "invalid user") }
        guard let place = PositionPlace(request) else { return .error(400, "invalid cursor or limit") }
        guard let status = PositionStatus(rawValue: request.value("status") ?? "OPEN") else {
            return .error(400, "invalid status")
        }
        let floor = request.value("filter_amount").map { Decimal6.parse($0) } ?? Self.sizeMin
        guard let floor, request.value("filter_type") ?? "TOKENS" == "TOKENS" else {
            return .error(400, "invalid filter")
        }
        // Whatever has ended was redeemed at once: nothing is redeemable, and what is closed is not kept.
        let sizes = status == .open ? self.sizes(of: wallet, engine, at: time) : [:]
        let rows = sizes.filter { $0.value.micros >= floor }
            .map { PositionPlace.Row(size: $0.value, token: Self.token($0.key, engine), place: $0.key) }
            .sorted().drop { row in place.last.map { row <= $0 } ?? false }
        let page = rows.prefix(place.limit)
        return .json {
            $0.object { writer in
                writer.key("data")
                writer.array { for row in page { Self.write(row, of: wallet, sizes, engine, to: &$0) } }
                writer.key("pagination")
                writer.object {
                    $0.key("limit")
                    $0.integer(place.limit)
                    $0.key("offset")
                    $0.integer(0)
                    $0.key("has_more")
                    $0.bool(page.count < rows.count)
                    $0.key("next_cursor")
                    if let last = page.last, page.count < rows.count {
                        $0.string(place.cursor(after: last))
                    } else {
                        $0.null()
                    }
                }
            }
        }
    }

    /// What the page shows from now on is what is held now.
    mutating func stalePositions(
        from time: Timestamp, for seconds: Int64, isTold: Bool, _ engine: MatchingEngine
    ) {
        self.stalePositions = StalePositions(
            since: time, until: time + .seconds(seconds), isTold: isTold,
            sizes: Dictionary(
                uniqueKeysWithValues: self.accounts.all.map { ($0.account, Self.sizes(of: $0.account, engine)) }))
    }

    /// How far the Data API is behind the chain.
    func dataStatus(at time: Timestamp) -> Answer {
        let stale = self.stalePositions.flatMap { $0.isTold && time < $0.until ? $0 : nil }
        let seconds = stale.map { (time - $0.since).milliseconds / 1_000 } ?? 0
        return .json {
            $0.object { writer in
                writer.key("data")
                writer.object {
                    $0.key("computed_at")
                    $0.string(CalendarDate.rfc3339(time.microseconds / 1_000_000))
                    $0.key("age_seconds")
                    $0.integer(0)
                    $0.key("serving")
                    $0.object {
                        $0.key("lag_seconds")
                        $0.integer(seconds)
                        $0.key("worst")
                        $0.string(Self.balancesName)
                        $0.key("mechanisms")
                        $0.array {
                            $0.object {
                                $0.key("name")
                                $0.string(Self.balancesName)
                                $0.key("age_seconds")
                                $0.integer(seconds)
                            }
                        }
                    }
                }
            }
        }
    }

    private func sizes(of wallet: Address, _ engine: MatchingEngine, at time: Timestamp) -> [OutcomePlace: Quantity] {
        guard let account = self.accounts.account(of: wallet) else { return [:] }
        if let stale = self.stalePositions, time < stale.until { return stale.sizes[account] ?? [:] }
        return Self.sizes(of: account, engine)
    }

    private static func sizes(of account: AccountID, _ engine: MatchingEngine) -> [OutcomePlace: Quantity] {
        let holder = engine.accounts[account.index]
        return Dictionary(uniqueKeysWithValues: holder.heldPlaces.map { ($0, holder.holding($0).balance) })
            .filter { $0.value > .zero }
    }

    private static func token(_ place: OutcomePlace, _ engine: MatchingEngine) -> TokenID {
        engine.markets[place.market].terms.token(place.outcome)
    }

    private static func write(
        _ row: PositionPlace.Row, of wallet: Address, _ sizes: [OutcomePlace: Quantity], _ engine: MatchingEngine,
        to writer: inout JSONWriter
    ) {
        let market = engine.markets[row.place.market]
        let price = Self.price(market.book, outcome: row.place.outcome)
        let value = Int64(Int128(row.size.micros) * Int128(price) / Int128(Decimal6.scale))
        writer.object {
            for (name, text) in [
                ("proxy_wallet", wallet.description.lowercased()), ("token_id", "\(row.token)"),
                ("condition_id", "\(market.terms.condition)"), ("status", "OPEN"), ("title", market.terms.question),
                ("slug", market.terms.slug), ("event_slug", market.terms.event),
                ("outcome", market.terms.label(row.place.outcome)),
                ("opposite_outcome", market.terms.label(1 - row.place.outcome)),
                ("opposite_token_id", "\(market.terms.token(1 - row.place.outcome))"),
                (
                    "end_date",
                    String(
                        CalendarDate.rfc3339(market.terms.endTime.microseconds / 1_000_000)
                            .prefix(Self.endDateByteCount))
                ),
            ] {
                $0.key(dynamic: name)
                $0.string(text)
            }
            // What was paid is not kept here.
            for (name, micros) in [
                ("current_size", row.size.micros), ("avg_price", 0), ("entry_cost_usdc", 0), ("entry_fees_usdc", 0),
                ("current_price", price), ("current_value", value), ("realized_pnl", 0), ("unrealized_pnl", 0),
            ] {
                $0.key(dynamic: name)
                $0.decimal(micros)
            }
            for (name, flag) in [
                ("redeemable", false), ("mergeable", sizes[row.place.other] != nil),
                ("negative_risk", market.terms.isNegRisk), ("archived", false),
            ] {
                $0.key(dynamic: name)
                $0.bool(flag)
            }
            $0.key("outcome_index")
            $0.integer(row.place.outcome)
        }
    }

    /// The midpoint, or a half where one side of the book is empty.
    private static func price(_ book: EngineBook, outcome: Int) -> Int64 {
        guard let bid = book.bids.last?.price, let ask = book.asks.last?.price else { return Decimal6.scale / 2 }
        let first = (Int64(bid.micros) + Int64(ask.micros)) / 2
        return outcome == 0 ? first : Decimal6.scale - first
    }
}

/// Which positions a request may ask for.
enum PositionStatus: String, Sendable {
    case open = "OPEN"
    case redeemable = "REDEEMABLE"
    case closed = "CLOSED"
}

/// Where a page of positions begins: behind a row, which may be gone by now. The page's size goes along in the cursor.
struct PositionPlace: Hashable, Sendable {
    struct Row: Hashable, Comparable, Sendable {
        let size: Quantity
        let token: TokenID
        let place: OutcomePlace

        static func < (a: Row, b: Row) -> Bool { (b.size, a.token) < (a.size, b.token) }
    }

    private static let limitMax = 1_000
    private static let limitDefault = 100
    private static let cursorByteCountMax = 512

    let limit: Int
    /// The last row of the page before.
    let last: Row?

    /// - Returns: `nil` for a cursor that was not given out, or a page's size that is not served.
    init?(_ request: PageRequest) {
        guard let cursor = request.value("cursor") else {
            guard let limit = request.value("limit").map({ Int($0) }) ?? Self.limitDefault,
                (1...Self.limitMax).contains(limit)
            else { return nil }
            (self.limit, self.last) = (limit, nil)
            return
        }
        guard cursor.utf8.count <= Self.cursorByteCountMax,
            let text = Base64URL.decode(cursor).flatMap({ String(validating: $0, as: UTF8.self) })
        else { return nil }
        let parts = text.split(separator: ":")
        guard parts.count == 5, let limit = Int(parts[0]), (1...Self.limitMax).contains(limit),
            let size = Int64(parts[1]), size > 0, let token = TokenID(parts[2]), let market = Int(parts[3]),
            let outcome = Int(parts[4])
        else { return nil }
        self.limit = limit
        self.last = Row(
            size: Quantity(micros: size), token: token, place: OutcomePlace(market: market, outcome: outcome))
    }

    func cursor(after row: Row) -> String {
        let text = "\(self.limit):\(row.size.micros):\(row.token):\(row.place.market):\(row.place.outcome)"
        return Array(text.utf8).withUnsafeBytes { Base64URL.encode($0) }
    }
}
