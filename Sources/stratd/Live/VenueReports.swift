import Shared

/// What the venue tells of one of our orders, by REST or on the user channel. Source: reference, 2.6 and 3.3.
struct VenueOrder: Hashable, Sendable {
    enum Standing: Hashable, Sendable {
        case open
        /// Held by the taker delay.
        case delayed
        /// Matched, wholly or in part; whether the rest rests is not said.
        case matched
        /// Gone, with the venue's word for it.
        case ended(reason: String)
    }

    let hash: String
    let standing: Standing
    /// Shares that were matched so far.
    let matched: Quantity

    init(hash: String, standing: Standing, matched: Quantity) {
        self.hash = hash
        self.standing = standing
        self.matched = matched
    }

    /// - Returns: `nil` for what is no order.
    init?(_ json: JSONValue) {
        guard let hash = json["id"]?.string.flatMap({ ConditionID($0) }), let status = json["status"]?.string,
            let standing = Self.standing(status, isCancellation: json["type"]?.string == "CANCELLATION")
        else { return nil }
        // An order of which nothing was matched may say so with an empty text, or not at all.
        let text = json["size_matched"]?.string ?? json["size_matched"]?.micros.map { Decimal6.text($0) } ?? ""
        guard let matched = text.isEmpty ? 0 : Decimal6.parse(text) else { return nil }
        self.init(hash: hash.description, standing: standing, matched: Quantity(micros: matched))
    }

    private static let reasonByteCountMax = 60

    private static func standing(_ status: String, isCancellation: Bool) -> Standing? {
        let prefix = "ORDER_STATUS_"
        let word = (status.hasPrefix(prefix) ? String(status.dropFirst(prefix.utf8.count)) : status).lowercased()
        if isCancellation || word.hasPrefix("canceled") || word.hasPrefix("invalid") {
            return .ended(reason: word.shortened(toByteCount: Self.reasonByteCountMax))
        }
        switch word {
        // Marketable when it came, and nobody was there any more: it rests.
        case "live", "unmatched": return .open
        case "delayed": return .delayed
        case "matched": return .matched
        default: return nil
        }
    }
}

/// A trade in which an order of ours may have had a part. Source: reference, 2.6 and 3.3.
struct VenueTrade: Hashable, Sendable {
    /// An order's part, told from that order's side: a maker's token may be the opposite of the taker's.
    struct Part: Hashable, Sendable {
        let order: String
        let token: TokenID
        let side: TradeSide
        let price: Price
        var size: Quantity
        /// What was paid or received, without the fee.
        var money: Money
        let liquidity: Liquidity
        /// Whether it is the account's own, whichever order it was.
        var isOwn = false
    }

    /// Whose parts in trades are the account's.
    struct Owner: Hashable, Sendable {
        /// The key of the credentials.
        let key: String
        /// The address of the funds, in small letters.
        let maker: String

        init(key: String, maker: String) {
            self.key = key
            self.maker = maker.lowercased()
        }

        fileprivate func owns(_ json: JSONValue) -> Bool {
            json["owner"]?.string == self.key || json["maker_address"]?.string?.lowercased() == self.maker
        }
    }

    /// Shares of one order in one trade: more than any market has had, and so few that no sum of trades goes beyond what a number
    /// holds.
    static let sizeMax = Quantity(shares: 100_000_000)
    /// Makers of one trade that are read at most.
    private static let partCountMax = 1_000
    /// Values above are milliseconds.
    private static let secondsMax: Int64 = 100_000_000_000
    private static let idByteCountMax = 100

    let id: String
    let settlement: Settlement
    let time: Timestamp
    let parts: [Part]
    /// Whether a maker's part of the account's is told in a form that cannot be read: then it is not among `parts`.
    let hasUnreadPart: Bool

    init(id: String, settlement: Settlement, time: Timestamp, parts: [Part], hasUnreadPart: Bool = false) {
        self.hasUnreadPart = hasUnreadPart
        self.id = id
        self.settlement = settlement
        self.time = time
        self.parts = parts
    }

    /// - Returns: `nil` for what is no trade.
    init?(_ json: JSONValue, of owner: Owner) {
        guard let id = json["id"]?.string, (1...Self.idByteCountMax).contains(id.utf8.count),
            let settlement = json["status"]?.string.flatMap({ Self.settlement($0) }),
            let moment = (json["match_time"] ?? json["matchtime"])?.integer, moment >= 0,
            moment < Self.secondsMax * 1_000,
            let (makers, hasUnreadPart) = Self.makers(json["maker_orders"]?.array ?? [], of: owner)
        else { return nil }
        let time = moment > Self.secondsMax ? Timestamp(milliseconds: moment) : Timestamp(seconds: moment)
        // To a maker the trade's own side may be told with the maker's address.
        let hasTaken = json["trader_side"]?.string == "TAKER"
        var parts = makers
        if var taker = Part(json, order: "taker_order_id", size: "size", .taker) {
            taker.isOwn = hasTaken && owner.owns(json)
            if let money = Self.money(of: taker, from: makers) { taker.money = money }
            parts.insert(taker, at: 0)
        } else {
            // Somebody else's side may be what it likes, such as an average price with more decimals than any has.
            guard !hasTaken, makers.contains(where: \.isOwn) else { return nil }
        }
        self.init(id: id, settlement: settlement, time: time, parts: parts, hasUnreadPart: hasUnreadPart)
    }

    /// A maker's money is rounded down. What the taker pays or gets follows: the same, or with the opposite token the rest of the
    /// shares' worth of one each.
    ///
    /// - Returns: `nil` where the makers' parts are not all there.
    private static func money(of taker: Part, from makers: [Part]) -> Money? {
        guard makers.reduce(Quantity.zero, { $0 + $1.size }) == taker.size else { return nil }
        return makers.reduce(Money.zero) { sum, maker in
            sum + (maker.token == taker.token ? maker.money : Money(micros: maker.size.micros - maker.money.micros))
        }
    }

    /// - Returns: `nil` for more than one trade can have, or one order of ours in it.
    private static func makers(_ rows: [JSONValue], of owner: Owner) -> (parts: [Part], hasUnreadPart: Bool)? {
        guard rows.count <= Self.partCountMax else { return nil }
        var makers: [Part] = []
        var hasUnreadPart = false
        for row in rows {
            let isOwn = owner.owns(row)
            guard var part = Part(row, order: "order_id", size: "matched_amount", .maker) else {
                // Somebody else's part may be what it likes.
                if isOwn { hasUnreadPart = true }
                continue
            }
            part.isOwn = isOwn
            // An order that stands there twice has one part.
            if let index = makers.firstIndex(where: { $0.order == part.order }) {
                guard makers[index].size + part.size <= Self.sizeMax else {
                    if part.isOwn { return nil }
                    continue
                }
                makers[index].size += part.size
                makers[index].money += part.money
            } else {
                makers.append(part)
            }
        }
        return (makers, hasUnreadPart)
    }

    private static func settlement(_ status: String) -> Settlement? {
        let prefix = "TRADE_STATUS_"
        let word = (status.hasPrefix(prefix) ? String(status.dropFirst(prefix.utf8.count)) : status).lowercased()
        return word == "matched_not_broadcasted" ? .matched : Settlement(rawValue: word)
    }
}

extension VenueTrade.Part {
    fileprivate init?(_ json: JSONValue, order: String, size: String, _ liquidity: Liquidity) {
        guard let hash = json[order]?.string.flatMap({ ConditionID($0) }),
            let token = json["asset_id"]?.string.flatMap({ TokenID($0) }),
            let side = json["side"]?.string.flatMap({ TradeSide(rawValue: $0.lowercased()) }),
            let price = json["price"]?.micros.flatMap({ Price(micros: $0) }),
            let size = json[size]?.micros, size > 0, size <= VenueTrade.sizeMax.micros
        else { return nil }
        self.init(
            order: hash.description, token: token, side: side, price: price, size: Quantity(micros: size),
            money: Quantity(micros: size).notional(at: price), liquidity: liquidity)
    }
}
