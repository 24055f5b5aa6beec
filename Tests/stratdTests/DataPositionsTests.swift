import Shared
import Testing

@testable import stratd

/// Pages of positions as the Data API serves them, and as it never should.
@Suite struct DataPositionsTests {
    private static let wallet = "0x379a410a36c101e3b8dfb6c90d1176eb0def4b1a"

    private static func page(_ rows: [String], next: String = "null") throws -> JSONValue {
        let text =
            #"{"data":[\#(rows.joined(separator: ","))],"pagination":{"limit":100,"offset":0,"has_more":true,"next_cursor":\#(next)}}"#
        return try JSONValue(parsing: text.utf8)
    }

    private static func row(
        _ n: Int64, _ size: String, wallet: String = Self.wallet, isRedeemable: Bool = false
    ) -> String {
        #"{"proxy_wallet":"\#(wallet)","token_id":"\#(token(n, 0))","current_size":\#(size),"redeemable":\#(isRedeemable)}"#
    }

    private static func read(_ rows: String...) throws -> DataPositions {
        var positions = DataPositions(wallet: Self.wallet)
        #expect(try positions.take(Self.page(rows)))
        return positions
    }

    @Test func aPageOfTheVenueIsRead() throws {
        // As it was served in October 2026, shortened.
        let text = """
            {"data":[{"proxy_wallet":"0x379A410a36c101e3b8dfb6c90d1176eb0def4b1a",
            "token_id":"56134520934827987450354834210862718136281318820368118025608831884832419413779",
            "condition_id":"0x21f6ce98ea79b65ec014ed5a13eafbc6730afcdd3f2cc958984cc618785e2758","current_size":28.09,
            "avg_price":0.6699,"entry_cost_usdc":18.8202,"status":"OPEN","redeemable":false,"archived":false,
            "outcome":"No","outcome_index":1,"end_date":"2026-10-08"}],
            "pagination":{"limit":2,"offset":0,"has_more":true,"next_cursor":"eyJk+YXRh/Ig=="}}
            """
        var positions = DataPositions(wallet: "0x379a410A36c101e3b8dfb6c90d1176eb0def4b1a")
        #expect(
            positions.path
                == "/v2/positions?user=\(Self.wallet)&limit=500&filter_type=TOKENS&filter_amount=0&include_archived=true"
                + "&sort_by=TOKENS&sort_direction=DESC")
        #expect(try !positions.take(JSONValue(parsing: text.utf8)))
        let held = try #require(
            TokenID("56134520934827987450354834210862718136281318820368118025608831884832419413779"))
        #expect(positions.size(of: held) == shares("28.09") && positions.size(of: token(1, 0)) == .zero)
        // What is opaque goes back as it came, and may hold what means something in an address.
        #expect(positions.path.hasSuffix("&sort_direction=DESC&cursor=eyJk%2BYXRh%2FIg%3D%3D"))
        #expect(try positions.take(Self.page([])) && positions.holdings.count == 1)
    }

    /// "A documented miss is null or an empty list": of a wallet that the venue has not seen yet.
    @Test func aWalletThatNobodyKnowsHoldsNothing() throws {
        for text in [#"{"data":null}"#, #"{"data":null,"pagination":null}"#] {
            var positions = DataPositions(wallet: Self.wallet)
            #expect(try positions.take(JSONValue(parsing: text.utf8)))
            #expect(positions.holdings.isEmpty && positions.size(of: token(1, 0)) == .zero)
        }
        // In the midst of a list it is none, nor is it without a word.
        var positions = DataPositions(wallet: Self.wallet)
        #expect(throws: DataPositions.Fault.noPage) { try positions.take(JSONValue(parsing: "{}".utf8)) }
        #expect(try !positions.take(Self.page([Self.row(1, "5")], next: #""more""#)))
        #expect(throws: DataPositions.Fault.noPage) { try positions.take(JSONValue(parsing: #"{"data":null}"#.utf8)) }
    }

    @Test(arguments: [
        ("28.09", 28_090_000), ("0.000001", 1), ("1e-06", 1), ("1e-6", 1), ("2.5e-05", 25), ("1E2", 100_000_000),
        ("1.25e+1", 12_500_000), (#""3.5""#, 3_500_000), ("0", 0), ("0.0", 0), ("1e9", 1_000_000_000_000_000),
    ])
    func sizesAreReadExactly(text: String, micros: Int64) throws {
        let positions = try Self.read(Self.row(1, text))
        #expect(positions.size(of: token(1, 0)) == Quantity(micros: micros) && positions.unreadableCount == 0)
    }

    @Test(arguments: [
        "1e-7", "0.0000001", "0.30000000000000004", "-1", "-0.5", "1e10", "1e40", "1e400", "1e-400", #""""#, #""e1""#,
        #""1e""#,
        #"".e1""#, #""1.2.3e1""#, #""1e1e1""#, "null", "true", "[]", "{}", #""NaN""#,
        "99999999999999999999999999999999999999999",
    ])
    func aSizeThatIsNoneLeavesItsTokenOpen(text: String) throws {
        let positions = try Self.read(Self.row(1, text), Self.row(2, "5"))
        #expect(positions.size(of: token(1, 0)) == nil && positions.unreadableCount == 1)
        #expect(positions.size(of: token(2, 0)) == shares("5") && positions.size(of: token(3, 0)) == .zero)
    }

    @Test(arguments: ["{}", "1", "null", #"{"token_id":"07","current_size":1}"#, #"{"token_id":7,"current_size":1}"#])
    func whoseTokenCannotBeReadMayBeAny(row: String) throws {
        let positions = try Self.read(row, Self.row(2, "5"))
        #expect(positions.size(of: token(2, 0)) == shares("5"))
        #expect(positions.size(of: token(3, 0)) == nil, "it may be the one that could not be read")
    }

    @Test func aRowThatIsThereTwiceCountsOnceAndTwoThatDifferNotAtAll() throws {
        let positions = try Self.read(
            Self.row(1, "5"), Self.row(1, "5.0"), Self.row(2, "5"), Self.row(2, "6"), Self.row(2, "5"))
        #expect(positions.size(of: token(1, 0)) == shares("5"))
        #expect(positions.size(of: token(2, 0)) == nil && positions.holdings.count == 1)
    }

    @Test func whatIsNoPageOfThisWalletIsAFault() throws {
        for text in ["[]", "{}", #"{"data":[]}"#, #"{"data":{},"pagination":{}}"#, #"{"data":[],"pagination":[]}"#] {
            var positions = DataPositions(wallet: Self.wallet)
            let page = try JSONValue(parsing: text.utf8)
            #expect(throws: DataPositions.Fault.noPage, "\(text)") { try positions.take(page) }
        }
        var positions = DataPositions(wallet: Self.wallet)
        #expect(throws: DataPositions.Fault.otherWallet) {
            try positions.take(Self.page([Self.row(1, "5", wallet: "0x" + String(repeating: "0", count: 40))]))
        }
        let rows = (1...Int64(DataPositions.rowCountMax + 1)).map { Self.row($0, "5") }
        #expect(throws: DataPositions.Fault.longPage(501)) { try positions.take(Self.page(rows)) }
    }

    @Test func pagesThatDoNotGoOnOrDoNotEndAreAFault() throws {
        var positions = DataPositions(wallet: Self.wallet)
        #expect(try !positions.take(Self.page([Self.row(1, "5")], next: #""a""#)))
        #expect(try !positions.take(Self.page([Self.row(2, "5")], next: #""b""#)))
        #expect(throws: DataPositions.Fault.strayCursor) { try positions.take(Self.page([], next: #""a""#)) }
        for next in [#""""#, "1", "{}", "\"\(String(repeating: "x", count: DataPositions.cursorByteCountMax + 1))\""] {
            #expect(throws: DataPositions.Fault.strayCursor, "\(next)") {
                try positions.take(Self.page([], next: next))
            }
        }
        var endless = DataPositions(wallet: Self.wallet)
        for n in 1..<DataPositions.pageCountMax { #expect(try !endless.take(Self.page([], next: "\"\(n)\""))) }
        var whole = endless
        #expect(try whole.take(Self.page([])))
        #expect(throws: DataPositions.Fault.endless) { try endless.take(Self.page([], next: #""last""#)) }
    }

    /// Whatever comes, it is read, doubted or refused, and never believed where it is not exact.
    @Test func nonsenseBySeedHarmsNothing() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        let whole = Array(
            #"{"data":[\#(Self.row(1, "1.5")),\#(Self.row(2, "2e-05"))],"pagination":{"next_cursor":null}}"#.utf8)
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
            }
            guard let page = try? JSONValue(parsing: bytes) else { continue }
            var positions = DataPositions(wallet: Self.wallet)
            guard (try? positions.take(page)) != nil else { continue }
            for (token, holding) in positions.holdings {
                #expect(holding.size > .zero && holding.size.micros <= Decimal6.valueMax, "\(token) seed \(seed)")
            }
        }
    }
}
