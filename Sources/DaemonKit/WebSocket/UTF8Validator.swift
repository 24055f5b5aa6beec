/// Checks UTF-8 piece by piece: a code point may be cut anywhere between two pieces.
///
/// Follows the table of well-formed sequences of the Unicode standard (3-7): no overlong forms, no surrogates, nothing
/// above U+10FFFF. It fails at the first byte that cannot continue, not at the end of the text.
struct UTF8Validator: Sendable {
    /// Continuation bytes that are still missing.
    private var missingCount = 0
    /// What the next continuation byte may be; narrower than 0x80...0xBF only after E0, ED, F0 and F4.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether the text may end here.
    var isComplete: Bool { self.missingCount == 0 }

    /// Takes the next bytes of the text; false when no valid text begins like this. Then use it no more.
    mutating func accept(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var index = 0
        while index < bytes.count {
            if self.missingCount == 0 {
                index = Self.skipASCII(base, from: index, to: bytes.count)
                guard index < bytes.count else { return true }
                guard self.begin(base[index]) else { return false }
            } else {
                guard base[index] >= self.lowest && base[index] <= self.highest else { return false }
                self.missingCount -= 1
                self.lowest = 0x80
                self.highest = 0xBF
            }
            index += 1
        }
        return true
    }

    /// The venues' texts are nearly all ASCII: eight bytes a step.
    private static func skipASCII(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        let raw = UnsafeRawPointer(base)
        var index = start
        while index + 8 <= end, raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
            index += 8
        }
        while index < end, base[index] < 0x80 { index += 1 }
        return index
    }

    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: self.missingCount = 1
        case 0xE0...0xEF:
            self.missingCount = 2
            if byte == 0xE0 { self.lowest = 0xA0 }
            if byte == 0xED { self.highest = 0x9F }
        case 0xF0...0xF4:
            self.missingCount = 3
            if byte == 0xF0 { self.lowest = 0x90 }
            if byte == 0xF4 { self.highest = 0x8F }
        default: return false
        }
        return true
    }
}
