/// What one outcome share costs, in millionths of a pUSD.
///
/// The venue's own base unit: every tick size it lists, 0.0025 included, is a whole number of them, so a price keeps its
/// meaning when a market's tick size changes.
public struct Price: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 1...999_999: a share is worth more than nothing and less than one.
    public let micros: Int32

    /// - Returns: `nil` outside 1...999_999.
    @inlinable
    public init?(micros: Int64) {
        guard micros >= 1 && micros <= 999_999 else { return nil }
        self.micros = Int32(truncatingIfNeeded: micros)
    }

    /// Reads the venue's text, "0.37" or ".37". `nil` when malformed or outside (0, 1).
    public init?(decimal text: some StringProtocol) {
        guard let micros = Decimal6.parse(text) else { return nil }
        self.init(micros: micros)
    }

    /// The same share seen from the other outcome: 1 − p.
    @inlinable
    public var mirrored: Price { Price(unchecked: 1_000_000 - self.micros) }

    @inlinable
    init(unchecked micros: Int32) { self.micros = micros }

    @inlinable
    public static func < (a: Price, b: Price) -> Bool { a.micros < b.micros }
    public var description: String { Decimal6.text(Int64(self.micros)) }
}

/// A number of outcome shares, in millionths of a share. Never negative by itself; differences may be.
public struct Quantity: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let micros: Int64
    @inlinable
    public init(micros: Int64) { self.micros = micros }
    public init(shares: Int64) { self.micros = shares * Decimal6.scale }
    public static let zero = Quantity(micros: 0)

    @inlinable
    public static func < (a: Quantity, b: Quantity) -> Bool { a.micros < b.micros }
    public static func + (a: Quantity, b: Quantity) -> Quantity { Quantity(micros: a.micros + b.micros) }
    public static func - (a: Quantity, b: Quantity) -> Quantity { Quantity(micros: a.micros - b.micros) }
    public static func += (a: inout Quantity, b: Quantity) { a = a + b }
    public static func -= (a: inout Quantity, b: Quantity) { a = a - b }

    /// What the shares cost at `price`, rounded towards zero unless `up`.
    public func notional(at price: Price, roundedUp up: Bool = false) -> Money {
        let product = self.micros.multipliedFullWidth(by: Int64(price.micros))
        let (quotient, remainder) = Int64(1_000_000).dividingFullWidth(product)
        return Money(micros: quotient + (up && remainder > 0 ? 1 : 0))
    }

    /// Down to hundredths of a share, the venue's size grid.
    public var flooredToSizeGrid: Quantity { Quantity(micros: self.micros / 10_000 * 10_000) }
    public var description: String { Decimal6.text(self.micros) }
}

/// An amount of pUSD, in millionths. May be negative.
public struct Money: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let micros: Int64
    @inlinable
    public init(micros: Int64) { self.micros = micros }
    public static let zero = Money(micros: 0)

    public static func < (a: Money, b: Money) -> Bool { a.micros < b.micros }
    public static func + (a: Money, b: Money) -> Money { Money(micros: a.micros + b.micros) }
    public static func - (a: Money, b: Money) -> Money { Money(micros: a.micros - b.micros) }
    public static func += (a: inout Money, b: Money) { a = a + b }
    public static func -= (a: inout Money, b: Money) { a = a - b }
    public static prefix func - (a: Money) -> Money { Money(micros: -a.micros) }
    public var description: String { Decimal6.text(self.micros) }
}
