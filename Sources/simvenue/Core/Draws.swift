import Glibc
import Shared

/// The distributions that the made-up world draws from.
extension SeededRandom {
    /// A generator of its own for `name`, so that what one market draws does not depend on the others.
    init(seed: UInt64, name: some StringProtocol) {
        // FNV-1a: spreads names well enough to seed with.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        self.init(seed: seed ^ hash)
    }

    /// Uniform in 0..<1.
    mutating func unit() -> Double { Double(self.next() >> 11) * 0x1p-53 }

    /// Uniform in 0..<count. `count` must be positive.
    mutating func below(_ count: Int) -> Int { Int(self.next().multipliedFullWidth(by: UInt64(count)).high) }

    /// True in `share` of all draws.
    mutating func chance(_ share: Double) -> Bool { self.unit() < share }

    /// Exponential with mean one.
    mutating func exponential() -> Double { -log(1 - self.unit()) }

    /// Standard normal, by Box and Muller.
    mutating func normal() -> Double {
        let radius = (-2 * log(1 - self.unit())).squareRoot()
        return radius * cos(2 * .pi * self.unit())
    }

    /// 0, 1, 2, … with each next one `ratio` as likely, and never above `max`.
    mutating func geometric(ratio: Double, max: Int) -> Int {
        var count = 0
        while count < max && self.chance(ratio) { count += 1 }
        return count
    }

    /// 256 random bits.
    mutating func words() -> (UInt64, UInt64, UInt64, UInt64) { (self.next(), self.next(), self.next(), self.next()) }
}
