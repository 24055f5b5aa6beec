import Testing

@testable import feedd

/// Prices as they are written, and what is none.
@Suite struct DollarPriceTests {
    @Test(
        arguments: [
            ("91250.50000000", 91_250_50000000), ("0.00000001", 1), ("1", 100_000_000), ("0063.1", 6_310_000_000),
            ("5.1234567800", 512_345_678), ("0", 0), ("9000000000.00000000", 900_000_000_000_000_000),
        ] as [(String, Int64)])
    func aDecimalIsReadExactly(text: String, units: Int64) { #expect(DollarPrice.units(text.utf8) == units) }

    @Test(arguments: [
        "", ".", "1.", ".5.", "-1", "+1", "1e5", "1,5", " 1", "0x1", "1.123456789", "NaN", "99999999999999999999",
        "१",
    ])
    func allElseIsNoDecimal(text: String) { #expect(DollarPrice.units(text.utf8) == nil) }

    @Test func placesBeyondTheEighthAreCutWhereThatIsAskedFor() {
        #expect(DollarPrice.units("1.1234567899".utf8, cutsPlaces: true) == 112_345_678)
    }

    @Test func nothingLessAndAbsurdlyMuchAreNoPrice() {
        #expect(DollarPrice(units: 0) == nil && DollarPrice(units: -1) == nil)
        #expect(DollarPrice(units: DollarPrice.unitsMax + 1) == nil)
        #expect(DollarPrice(units: DollarPrice.unitsMax)?.text == "10000000.00000000")
        #expect(DollarPrice(units: 1)?.text == "0.00000001")
    }

    @Test func halfAUnitInTheMiddleIsCutOff() throws {
        let (a, b) = (try #require(DollarPrice(units: 3)), try #require(DollarPrice(units: 6)))
        #expect(DollarPrice.middle(a, b).units == 4)
    }

    // MARK: Told in two ways

    @Test(arguments: [
        // 10⁻¹⁸ dollars, as the example of the venue has it; dollars, as its client has it.
        ("63123.45", "63123450000000000000000", "63123.45"), ("63123.45", "63123.45", "63123.45"),
        ("63123.45", "63123.450000000000000001", "63123.450000000000000001"),
        // The number was rounded on its way through a floating-point one.
        ("63123.4", "63123412345678901234567", "63123.412345678901234567"), ("2", "2", "2"),
        ("2", "2000000000000000000", "2"), ("0.00000001", "10000000000", "0.00000001"), ("120", "120.000", "120"),
    ])
    func theReadingThatAgreesWithTheNumberIsTaken(value: String, full: String, text: String) throws {
        #expect(try #require(AgreedPrice(value: value, fullAccuracy: full)).text == text)
    }

    @Test(arguments: [
        ("63123.45", "63200.45"), ("63123.45", "6312345"), ("63123.45", ""), ("63123.45", "x"), ("0", "0"),
        ("-1", "-1"), ("63123.45", "-63123.45"), ("1e5", "100000"), ("63123.45", "6.312345e4"),
        ("99999999999", "99999999999"), ("63123.45", "63123.45" + String(repeating: "0", count: 80)),
    ])
    func neitherIsTakenWhenNoneAgrees(value: String, full: String) {
        #expect(AgreedPrice(value: value, fullAccuracy: full) == nil)
    }
}
