import Shared

/// Positions of a wallet as the venue's Data API lists them, read page by page. Source: reference, 7.
///
/// A row that cannot be read must not hide the others, and must not be taken for a token that is not held.
struct DataPositions: Hashable, Sendable {
    struct Holding: Hashable, Sendable {
        let size: Quantity
        /// Whether its market has ended.
        let isRedeemable: Bool
        /// Whether they lost: whoever redeems them gets nothing, so that they stay where they are.
        let isWorthless: Bool
    }

    /// What ends a reading: nothing of it is used.
    enum Fault: Error, Hashable, CustomStringConvertible {
        case noPage
        /// The page has more rows than were asked for.
        case longPage(Int)
        case otherWallet
        /// A page names one before it, or a cursor that cannot be sent, as the next.
        case strayCursor
        case endless

        var description: String {
            switch self {
            case .noPage: "an answer is no page of positions"
            case .longPage(let count): "a page has \(count) rows, \(DataPositions.rowCountMax) were asked for"
            case .otherWallet: "positions of another wallet were answered"
            case .strayCursor: "the pages do not go on"
            case .endless: "there are more than \(DataPositions.pageCountMax) pages"
            }
        }
    }

    /// Rows of one page, and pages of one reading.
    static let rowCountMax = 500
    static let pageCountMax = 100
    /// Real ones have about 400 bytes.
    static let cursorByteCountMax = 2_048
    /// The venue lists none that is smaller unless it is asked to.
    static let unlistedSizeMax = Quantity(micros: 100_000)
    static let memberNames = MemberNames([
        "data", "pagination", "next_cursor", "proxy_wallet", "token_id", "current_size", "current_price", "redeemable",
    ])

    /// Whose positions they are, in small letters.
    let wallet: String
    private(set) var holdings: [TokenID: Holding] = [:]
    /// Tokens of which nothing certain was said.
    private(set) var unreadableTokens: Set<TokenID> = []
    /// Rows that could not be read, those without a token included.
    private(set) var unreadableCount = 0
    /// Whether a token that is not listed is not held.
    private(set) var isWhole = true

    private var cursor: String?
    private var cursors: Set<String> = []
    private var pageCount = 0

    init(wallet: String) { self.wallet = wallet.lowercased() }

    /// What is asked for next. Ordered by size, so that prices that move do not move rows from page to page.
    var path: String {
        let query =
            "/v2/positions?user=\(self.wallet)&limit=\(Self.rowCountMax)&filter_type=TOKENS&filter_amount=0"
            + "&include_archived=true&sort_by=TOKENS&sort_direction=DESC"
        return self.cursor.map { "\(query)&cursor=\(QueryText.escape($0))" } ?? query
    }

    /// Takes in the answer to `path`.
    ///
    /// - Returns: whether it was the last page.
    mutating func take(_ page: JSONValue) throws(Fault) -> Bool {
        // Of a wallet that it does not know it says null, or an empty list.
        if self.pageCount == 0 && page.object?["data"] == .null { return true }
        guard let rows = page["data"]?.array, let pagination = page["pagination"], pagination.object != nil else {
            throw .noPage
        }
        guard rows.count <= Self.rowCountMax else { throw .longPage(rows.count) }
        for row in rows { try self.take(row: row) }
        self.pageCount += 1
        // A short page ends nothing, and neither does an empty one.
        guard let next = pagination["next_cursor"] else { return true }
        guard let text = next.string, !text.isEmpty, text.utf8.count <= Self.cursorByteCountMax,
            self.cursors.insert(text).inserted
        else { throw .strayCursor }
        guard self.pageCount < Self.pageCountMax else { throw .endless }
        self.cursor = text
        return false
    }

    private mutating func take(row: JSONValue) throws(Fault) {
        if let wallet = row["proxy_wallet"]?.string, wallet.lowercased() != self.wallet { throw .otherWallet }
        guard let token = row["token_id"]?.string.flatMap({ TokenID($0) }) else {
            self.unreadableCount += 1
            self.isWhole = false
            return
        }
        guard let size = row["current_size"].flatMap({ Self.size($0) }) else { return self.doubt(token) }
        let isRedeemable = row["redeemable"]?.bool ?? false
        let isWorthless = isRedeemable && row["current_price"].flatMap { Self.size($0) } == .zero
        let holding = Holding(size: size, isRedeemable: isRedeemable, isWorthless: isWorthless)
        // A row that moved between two pages is there twice; of two that differ nobody knows which is right.
        if let former = self.holdings[token], former.size != size { return self.doubt(token) }
        if !self.unreadableTokens.contains(token) && size > .zero { self.holdings[token] = holding }
    }

    private mutating func doubt(_ token: TokenID) {
        self.unreadableCount += 1
        self.holdings[token] = nil
        self.unreadableTokens.insert(token)
    }

    /// What the reading says of a token; `nil` when that is nothing certain.
    func size(of token: TokenID) -> Quantity? {
        if let holding = self.holdings[token] { return holding.size }
        return self.isWhole && !self.unreadableTokens.contains(token) ? .zero : nil
    }

    // MARK: Numbers

    /// Decimal digits of a number at most.
    private static let numberByteCountMax = 40

    /// Shares, exactly. The venue writes small numbers with an exponent: 1e-06.
    private static func size(_ value: JSONValue) -> Quantity? {
        let text: String
        switch value {
        case .number(let number), .string(let number): text = number
        default: return nil
        }
        guard text.utf8.count <= Self.numberByteCountMax else { return nil }
        let halves = text.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        guard halves.count == 2, let exponent = Int(halves[1]), abs(exponent) <= Self.numberByteCountMax else {
            return halves.count == 1 ? Decimal6.parse(text).map { Quantity(micros: $0) } : nil
        }
        let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty else { return nil }
        let digits = whole + (parts.count == 2 ? parts[1] : "")
        let point = whole.count + exponent
        let zeros = { (count: Int) in String(repeating: "0", count: max(0, count)) }
        let plain =
            point <= 0
            ? "0." + zeros(-point) + digits
            : String(digits.prefix(point)) + zeros(point - digits.count) + "." + digits.dropFirst(point)
        return Decimal6.parse(plain).map { Quantity(micros: $0) }
    }
}
