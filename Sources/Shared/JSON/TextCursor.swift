/// Writes text into memory that was measured beforehand: for what is built so often that growing an array byte by byte
/// shows, such as the text of every hash. Writing past the end is a bug and traps.
package struct TextCursor: ~Copyable {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    /// Bytes written so far.
    package private(set) var count = 0

    package init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    /// What was written.
    var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: self.buffer[..<self.count]) }

    /// The last byte written, of which there must be one.
    var last: UInt8 { self.buffer[self.count - 1] }

    /// Room for `count` bytes, which are then counted as written.
    @inline(__always)
    private mutating func take(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        precondition(count <= self.buffer.count - self.count, "a text is longer than was measured")
        defer { self.count += count }
        // There is room, so there is an address.
        return self.buffer.baseAddress.unsafelyUnwrapped + self.count
    }

    @inline(__always)
    package mutating func byte(_ byte: UInt8) { self.take(1).pointee = byte }

    @inline(__always)
    package mutating func text(_ text: StaticString) {
        self.take(text.utf8CodeUnitCount).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// The sixteen hex digits of `word`, or its last `digitCount`.
    @inline(__always)
    package mutating func hex(_ word: UInt64, digitCount: Int = 16) {
        let digits = self.take(digitCount)
        for index in 0..<digitCount { digits[index] = Hex.digit(word >> UInt64(4 * (digitCount - 1 - index))) }
    }

    /// Decimal digits, with zeros before them up to `digitCount`.
    @inline(__always)
    package mutating func integer(_ value: UInt64, digitCount: Int = 0) {
        let count = max(digitCount, Decimal6.digitCount(value))
        Decimal6.writeDigits(value, count: count, at: self.take(count))
    }

    /// Millionths, as the venue writes prices and sizes.
    @inline(__always)
    mutating func decimal(_ micros: Int64) {
        if micros < 0 { self.byte(UInt8(ascii: "-")) }
        let (whole, fraction) = micros.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        self.integer(whole)
        guard fraction > 0 else { return }
        self.byte(UInt8(ascii: "."))
        var (digits, places) = fraction % 10_000 == 0 ? (fraction / 10_000, 2) : (fraction, 6)
        while digits % 10 == 0 {
            digits /= 10
            places -= 1
        }
        self.integer(digits, digitCount: places)
    }
}
