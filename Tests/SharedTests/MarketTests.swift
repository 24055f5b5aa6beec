import Shared
import Testing

/// The venue's fee: shares × rate × (p (1 − p))^exponent.
@Suite struct TakerFeeTests {
    private func fee(_ shares: String, at price: String, rate: Int64 = 70_000, exponent: Int64 = 1) throws -> String {
        var market = Market.example()
        market.feeRate = rate
        market.feeExponent = exponent
        let size = Quantity(micros: try #require(Decimal6.parse(shares)))
        return market.takerFee(size: size, price: try #require(Price(decimal: price))).description
    }

    @Test func theVenuesOwnExamplesComeOut() throws {
        #expect(try self.fee("100", at: "0.5") == "1.75")
        #expect(try self.fee("100", at: "0.9") == "0.63")
        #expect(try self.fee("100", at: "0.1") == "0.63")
        // Legacy markets: rate 0.25, exponent 2.
        #expect(try self.fee("100", at: "0.5", rate: 250_000, exponent: 2) == "1.5625")
    }

    @Test func theFeeIsRoundedUpToAHundredThousandth() throws {
        // 1 × 0.07 × 0.33 × 0.67 = 0.015477
        #expect(try self.fee("1", at: "0.33") == "0.01548")
        #expect(try self.fee("0.000001", at: "0.5") == "0.00001")
        #expect(try self.fee("5", at: "0.0001") == "0.00004")
    }

    @Test func withoutARateOrAShareThereIsNone() throws {
        #expect(try self.fee("100", at: "0.5", rate: 0) == "0")
        #expect(try self.fee("0", at: "0.5") == "0")
    }

    @Test func anExponentOfZeroLeavesTheRateAlone() throws {
        #expect(try self.fee("100", at: "0.5", rate: 10_000, exponent: 0) == "1")
    }

    @Test func theLargestTermsThatAreReadDoNotOverflow() throws {
        #expect(try self.fee("1000000000", at: "0.5", rate: 1_000_000, exponent: 4) == "3906250")
    }
}
