/// Keccak-256, the chain's hash: the sponge of SHA3-256 with the older padding. Bytes come in piece by piece; nothing is
/// allocated.
///
/// Source: Bertoni and others, "The Keccak reference", 3.0.
public struct Keccak256: Sendable {
    /// Bytes that one round of the permutation takes in.
    private static let rate = 136

    /// Byte `n` of the state is byte `n % 8` of lane `n / 8`, the least significant first.
    private var lanes = InlineArray<25, UInt64>(repeating: 0)
    /// Bytes taken in since the last permutation, less than `rate`.
    private var position = 0

    public init() {}

    /// The digest of `bytes`.
    public static func hash(_ bytes: some Collection<UInt8>) -> Bytes32 {
        var keccak = Keccak256()
        let isContiguous: Void? = bytes.withContiguousStorageIfAvailable { keccak.absorb(UnsafeRawBufferPointer($0)) }
        if isContiguous == nil { for byte in bytes { keccak.absorb(byte) } }
        return keccak.digest()
    }

    static func hash(_ text: StaticString) -> Bytes32 {
        var keccak = Keccak256()
        keccak.absorb(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        return keccak.digest()
    }

    public mutating func absorb(_ byte: UInt8) {
        self.lanes[self.position / 8] ^= UInt64(byte) << UInt64(8 * (self.position % 8))
        self.advance(by: 1)
    }

    public mutating func absorb(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if self.position.isMultiple(of: 8), bytes.count - index >= 8 {
                let lane = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                self.lanes[self.position / 8] ^= UInt64(littleEndian: lane)
                self.advance(by: 8)
                index += 8
            } else {
                self.absorb(bytes[index])
                index += 1
            }
        }
    }

    public mutating func absorb(_ value: Bytes32) {
        self.absorb(value.words.0)
        self.absorb(value.words.1)
        self.absorb(value.words.2)
        self.absorb(value.words.3)
    }

    /// Takes in the eight bytes of `word`, the most significant first.
    mutating func absorb(_ word: UInt64) {
        if self.position.isMultiple(of: 8) {
            self.lanes[self.position / 8] ^= word.byteSwapped
            self.advance(by: 8)
        } else {
            for shift in stride(from: 56, through: 0, by: -8) {
                self.absorb(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
    }

    /// The digest of all that was taken in.
    public consuming func digest() -> Bytes32 {
        self.lanes[self.position / 8] ^= 1 << UInt64(8 * (self.position % 8))
        self.lanes[Self.rate / 8 - 1] ^= 0x80 << 56
        Self.permute(&self.lanes)
        return Bytes32(
            words: (
                self.lanes[0].byteSwapped, self.lanes[1].byteSwapped, self.lanes[2].byteSwapped,
                self.lanes[3].byteSwapped
            ))
    }

    private mutating func advance(by count: Int) {
        self.position += count
        if self.position == Self.rate {
            Self.permute(&self.lanes)
            self.position = 0
        }
    }

    // MARK: the permutation

    private static let roundConstants: InlineArray<24, UInt64> = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
        0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
        0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
        0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
        0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]

    private static func turn(_ lane: UInt64, _ bits: UInt64) -> UInt64 { lane &<< bits | lane &>> (64 &- bits) }

    /// Five lanes of a row.
    private typealias Row = (UInt64, UInt64, UInt64, UInt64, UInt64)

    private static func permute(_ lanes: inout InlineArray<25, UInt64>) {
        func row(_ start: Int) -> Row {
            (lanes[start], lanes[start + 1], lanes[start + 2], lanes[start + 3], lanes[start + 4])
        }
        // Written out, and in variables of their own: that way they stay in the processor's registers.
        var (a, b, c, d, e) = (row(0), row(5), row(10), row(15), row(20))
        for round in 0..<24 {
            Self.mixColumns(&a, &b, &c, &d, &e)
            // Every lane turns by its own number of bits and goes to its own place.
            (a, b, c, d, e) = (
                Self.mixRow((a.0, Self.turn(b.1, 44), Self.turn(c.2, 43), Self.turn(d.3, 21), Self.turn(e.4, 14))),
                Self.mixRow(
                    (Self.turn(a.3, 28), Self.turn(b.4, 20), Self.turn(c.0, 3), Self.turn(d.1, 45), Self.turn(e.2, 61))),
                Self.mixRow(
                    (Self.turn(a.1, 1), Self.turn(b.2, 6), Self.turn(c.3, 25), Self.turn(d.4, 8), Self.turn(e.0, 18))),
                Self.mixRow(
                    (Self.turn(a.4, 27), Self.turn(b.0, 36), Self.turn(c.1, 10), Self.turn(d.2, 15), Self.turn(e.3, 56))
                ),
                Self.mixRow(
                    (Self.turn(a.2, 62), Self.turn(b.3, 55), Self.turn(c.4, 39), Self.turn(d.0, 41), Self.turn(e.1, 2)))
            )
            a.0 ^= Self.roundConstants[round]
        }
        func keep(_ row: Row, _ start: Int) {
            lanes[start] = row.0
            lanes[start + 1] = row.1
            lanes[start + 2] = row.2
            lanes[start + 3] = row.3
            lanes[start + 4] = row.4
        }
        keep(a, 0)
        keep(b, 5)
        keep(c, 10)
        keep(d, 15)
        keep(e, 20)
    }

    @inline(__always)
    private static func mixRow(_ row: Row) -> Row {
        (
            row.0 ^ (~row.1 & row.2), row.1 ^ (~row.2 & row.3), row.2 ^ (~row.3 & row.4), row.3 ^ (~row.4 & row.0),
            row.4 ^ (~row.0 & row.1)
        )
    }

    @inline(__always)
    private static func mixColumns(_ a: inout Row, _ b: inout Row, _ c: inout Row, _ d: inout Row, _ e: inout Row) {
        let sums: Row = (
            a.0 ^ b.0 ^ c.0 ^ d.0 ^ e.0, a.1 ^ b.1 ^ c.1 ^ d.1 ^ e.1, a.2 ^ b.2 ^ c.2 ^ d.2 ^ e.2,
            a.3 ^ b.3 ^ c.3 ^ d.3 ^ e.3, a.4 ^ b.4 ^ c.4 ^ d.4 ^ e.4
        )
        let mix: Row = (
            sums.4 ^ Self.turn(sums.1, 1), sums.0 ^ Self.turn(sums.2, 1), sums.1 ^ Self.turn(sums.3, 1),
            sums.2 ^ Self.turn(sums.4, 1), sums.3 ^ Self.turn(sums.0, 1)
        )
        Self.add(mix, to: &a)
        Self.add(mix, to: &b)
        Self.add(mix, to: &c)
        Self.add(mix, to: &d)
        Self.add(mix, to: &e)
    }

    @inline(__always)
    private static func add(_ mix: Row, to row: inout Row) {
        row = (row.0 ^ mix.0, row.1 ^ mix.1, row.2 ^ mix.2, row.3 ^ mix.3, row.4 ^ mix.4)
    }
}
