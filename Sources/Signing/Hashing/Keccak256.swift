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
    /// Where the lanes go, one after the other, starting with the second.
    private static let lanePath: InlineArray<24, Int> = [
        10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
    ]
    /// By how many bits they turn on the way.
    private static let laneTurns: InlineArray<24, UInt64> = [
        1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
    ]

    private static func turn(_ lane: UInt64, _ bits: UInt64) -> UInt64 { lane &<< bits | lane &>> (64 &- bits) }

    private static func permute(_ lanes: inout InlineArray<25, UInt64>) {
        for round in 0..<24 {
            Self.mixColumns(&lanes)
            var moving = lanes[1]
            for step in 0..<24 {
                let target = Self.lanePath[step]
                (moving, lanes[target]) = (lanes[target], Self.turn(moving, Self.laneTurns[step]))
            }
            for row in stride(from: 0, to: 25, by: 5) {
                let (a, b, c, d, e) = (lanes[row], lanes[row + 1], lanes[row + 2], lanes[row + 3], lanes[row + 4])
                lanes[row] = a ^ (~b & c)
                lanes[row + 1] = b ^ (~c & d)
                lanes[row + 2] = c ^ (~d & e)
                lanes[row + 3] = d ^ (~e & a)
                lanes[row + 4] = e ^ (~a & b)
            }
            lanes[0] ^= Self.roundConstants[round]
        }
    }

    private static func mixColumns(_ lanes: inout InlineArray<25, UInt64>) {
        func column(_ x: Int) -> UInt64 { lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] }
        let (a, b, c, d, e) = (column(0), column(1), column(2), column(3), column(4))
        for row in stride(from: 0, to: 25, by: 5) {
            lanes[row] ^= e ^ Self.turn(b, 1)
            lanes[row + 1] ^= a ^ Self.turn(c, 1)
            lanes[row + 2] ^= b ^ Self.turn(d, 1)
            lanes[row + 3] ^= c ^ Self.turn(e, 1)
            lanes[row + 4] ^= d ^ Self.turn(a, 1)
        }
    }
}
