import Shared
import Testing

/// Decimal text is exact both ways: nothing is rounded, nothing is guessed.
@Suite struct DecimalTests {
    @Test(
        arguments: [
            ("0.37", 370_000), (".37", 370_000), ("37", 37_000_000), ("0", 0), ("0.0", 0), ("1.", 1_000_000),
            ("007", 7_000_000),
            ("0.000001", 1), ("0.0000010000", 1), ("5579792.8", 5_579_792_800_000), ("219.217767", 219_217_767),
            ("1000000000", 1_000_000_000_000_000), ("000000000000000000000000000001", 1_000_000),
        ] as [(String, Int64)])
    func textIsReadExactly(text: String, micros: Int64) {
        #expect(Decimal6.parse(text) == micros)
    }

    @Test(arguments: [
        "", ".", "-1", "+1", " 1", "1 ", "1e3", "0x1", "1.2.3", "1,5", "0.0000001", "1.0000001", "1000000000.000001",
        "1000000001", "9223372036854775808", "99999999999999999999999999999999", "nan", "inf", "١", "0.3\u{0}", "--",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(Decimal6.parse(text) == nil)
    }

    @Test(
        arguments: [
            (0, "0"), (1, "0.000001"), (100_000, "0.1"), (96_000_000, "96"), (5_852_530_000, "5852.53"),
            (-1_500_000, "-1.5"),
            (10, "0.00001"), (Int64.max, "9223372036854.775807"), (Int64.min, "-9223372036854.775808"),
        ] as [(Int64, String)])
    func valuesAreWrittenAsTheVenueWritesThem(micros: Int64, text: String) {
        #expect(Decimal6.text(micros) == text)
    }

    @Test func whatWasWrittenIsReadBack() {
        var random = SeededRandom(seed: 1)
        let values = (0..<20_000).map { _ in
            Int64.random(in: 0...Decimal6.valueMax, using: &random) >> Int64.random(in: 0...49, using: &random)
        }
        #expect(values.filter { Decimal6.parse(Decimal6.text($0)) != $0 } == [])
    }
}

@Suite struct PriceTests {
    @Test func aPriceLiesBetweenNothingAndOne() {
        #expect(Price(micros: 0) == nil)
        #expect(Price(micros: 1)?.micros == 1)
        #expect(Price(micros: 999_999)?.micros == 999_999)
        #expect(Price(micros: 1_000_000) == nil)
        #expect(Price(micros: -1) == nil)
        #expect(Price(micros: .max) == nil)
        #expect(Price(micros: Int64(1) << 32 + 500_000) == nil)
    }

    @Test(
        arguments: [("0.37", 370_000), (".37", 370_000), ("0.0025", 2_500), ("0.999999", 999_999)] as [(String, Int32)])
    func textIsReadExactly(text: String, micros: Int32) {
        #expect(Price(decimal: text)?.micros == micros)
    }

    @Test(arguments: ["0", "1", "1.00", "0.0", "-0.5", "", "0.5x", "5e-1"])
    func textOutsideOrMalformedIsRefused(text: String) {
        #expect(Price(decimal: text) == nil)
    }

    @Test func theMirrorOfTheMirrorIsThePrice() throws {
        for micros in stride(from: Int64(1), through: 999_999, by: 997) {
            let price = try #require(Price(micros: micros))
            #expect(Int64(price.mirrored.micros) == 1_000_000 - micros)
            #expect(price.mirrored.mirrored == price)
        }
    }

    @Test func pricesAreOrderedAndPrintedAsTheVenuePrintsThem() throws {
        let (low, high) = (try #require(Price(decimal: "0.12")), try #require(Price(decimal: "0.9")))
        #expect(low < high)
        #expect("\(high) \(low)" == "0.9 0.12")
    }
}

@Suite struct QuantityTests {
    @Test func quantitiesAddAndSubtractExactly() {
        var quantity = Quantity(shares: 5)
        quantity += Quantity(micros: 1)
        quantity -= Quantity(shares: 6)
        #expect(quantity == Quantity(micros: -999_999))
        #expect(Quantity(shares: 2) - Quantity(shares: 3) + Quantity(shares: 1) == .zero)
        #expect(Quantity(micros: 5_852_530_000).description == "5852.53")
    }

    @Test func theNotionalSaysWhichWayItRounds() throws {
        let price = try #require(Price(decimal: "0.333333"))
        #expect(Quantity(shares: 3).notional(at: price) == Money(micros: 999_999))
        #expect(Quantity(shares: 3).notional(at: price, roundedUp: true) == Money(micros: 999_999))
        #expect(Quantity(micros: 1).notional(at: price) == .zero)
        #expect(Quantity(micros: 1).notional(at: price, roundedUp: true) == Money(micros: 1))
        let largest = Quantity(micros: Decimal6.valueMax)
        #expect(largest.notional(at: price) == Money(micros: 333_333_000_000_000))
    }

    @Test func theSizeGridIsAHundredthOfAShare() {
        #expect(Quantity(micros: 4_254_989_999).flooredToSizeGrid == Quantity(micros: 4_254_980_000))
        #expect(Quantity(micros: 9_999).flooredToSizeGrid == .zero)
        #expect(Quantity(shares: 7).flooredToSizeGrid == Quantity(shares: 7))
    }
}

@Suite struct MoneyTests {
    @Test func moneyMayBeNegativeAndIsExact() {
        var money = Money(micros: 1)
        money -= Money(micros: 3)
        #expect(money.description == "-0.000002")
        money += Money(micros: 2)
        #expect(money == .zero)
        #expect(-Money(micros: 5) < .zero)
        #expect(Money(micros: 7) - Money(micros: 2) + Money(micros: 1) == Money(micros: 6))
    }
}

@Suite struct TickSizeTests {
    static let all = ["0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001"]

    @Test(arguments: all) func everyListedTickIsKnown(text: String) throws {
        #expect(try #require(TickSize(decimal: text)).description == text)
    }

    @Test(arguments: ["0.02", "0", "1", "0.00001", "", "0.01x"]) func otherTicksAreRefused(text: String) {
        #expect(TickSize(decimal: text) == nil)
    }

    @Test(arguments: all) func theGridIsWhatItsTickSays(text: String) throws {
        let tick = try #require(TickSize(decimal: text))
        var random = SeededRandom(seed: 2)
        for _ in 0..<2_000 {
            let micros = Int64.random(in: -2_000_000...2_000_000, using: &random)
            let price = Price(micros: micros)
            if let price { #expect(tick.allows(price) == (micros % tick.micros == 0)) }
            let below = (micros > 0 ? micros / tick.micros : -1) * tick.micros
            #expect(tick.floor(micros) == Price(micros: below))
            let above = micros > 0 ? (micros + tick.micros - 1) / tick.micros * tick.micros : -1
            #expect(tick.ceil(micros) == Price(micros: above))
        }
    }

    @Test func pricesFarOutsideHaveNoNeighbourOnTheGrid() {
        #expect(TickSize.cent.floor(.max) == nil)
        #expect(TickSize.cent.ceil(.max) == nil)
        #expect(TickSize.cent.floor(.min) == nil)
        #expect(TickSize.cent.ceil(.min) == nil)
        #expect(TickSize.cent.floor(9_999) == nil)
        #expect(TickSize.cent.ceil(990_001) == nil)
    }
}
