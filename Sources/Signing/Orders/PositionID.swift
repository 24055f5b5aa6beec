public import Shared

/// What an id of the newer outcome tokens says about itself. Source: reference, 4.6.
public struct PositionID: Hashable, Sendable {
    /// Which contract made it: 1 binary, 2 neg-risk, 3 combinatorial.
    public let module: UInt8
    /// 0 for the first outcome, 1 for the second.
    public let outcome: UInt8
    /// The market, in its first 31 bytes; the last is zero.
    public let condition: Bytes32

    /// `nil` for the ids of other outcome tokens: those have bits between 40 and 103.
    public init?(_ token: TokenID) {
        let (first, second, third, fourth) = token.words
        guard third & 0xFF_FFFF_FFFF == 0, fourth >> 40 == 0 else { return nil }
        self.module = UInt8(truncatingIfNeeded: first >> 56)
        self.outcome = UInt8(truncatingIfNeeded: fourth)
        self.condition = Bytes32(words: (first, second, third, fourth & ~0xFF))
    }
}
