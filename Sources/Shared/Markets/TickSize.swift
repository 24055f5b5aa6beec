/// The grid on which a market's prices lie, in millionths of a pUSD.
public struct TickSize: Hashable, Sendable, CustomStringConvertible {
    public let micros: Int64

    /// The tick sizes that the venue lists: 0.1, 0.01, 0.005, 0.0025, 0.001, 0.0001. `nil` for any other.
    public init?(micros: Int64) {
        switch micros {
        case 100_000, 10_000, 5_000, 2_500, 1_000, 100: self.micros = micros
        default: return nil
        }
    }
    public init?(decimal text: some StringProtocol) {
        guard let micros = Decimal6.parse(text) else { return nil }
        self.init(micros: micros)
    }
    /// One cent, the venue's usual tick.
    public static let cent = TickSize(micros: 10_000)!

    /// Whether `price` lies on the grid.
    public func allows(_ price: Price) -> Bool { Int64(price.micros) % self.micros == 0 }

    /// The nearest price of the grid at or below `micros`; `nil` when that is not a price of the market.
    public func floor(_ micros: Int64) -> Price? {
        micros <= 0 ? nil : Price(micros: micros / self.micros * self.micros)
    }

    /// The nearest price of the grid at or above `micros`; `nil` when that is not a price of the market.
    public func ceil(_ micros: Int64) -> Price? {
        guard (1...999_999).contains(micros) else { return nil }
        return Price(micros: (micros + self.micros - 1) / self.micros * self.micros)
    }

    public var description: String { Decimal6.text(self.micros) }
}
