import Shared

/// Made-up JSON, and JSON with a few bytes broken, from a seed.
struct JSONGenerator {
    var random: SeededRandom

    init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

    /// A whole document; nested at most so deep.
    mutating func document(depth: Int = 6) -> [UInt8] {
        var bytes: [UInt8] = []
        self.space(&bytes)
        self.value(depth: depth, &bytes)
        self.space(&bytes)
        return bytes
    }

    /// `bytes` with one to three of them cut off, changed, removed or inserted.
    mutating func broken(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &self.random) {
            guard let index = bytes.indices.randomElement(using: &self.random) else { return bytes }
            switch Int.random(in: 0..<5, using: &self.random) {
            case 0: bytes.removeLast(bytes.count - index)
            case 1: bytes[index] = UInt8.random(in: 0...255, using: &self.random)
            case 2: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &self.random)
            case 3: bytes.remove(at: index)
            default: bytes.insert(self.odd(), at: index)
            }
        }
        return bytes
    }

    /// A byte that means something in JSON.
    private mutating func odd() -> UInt8 { #"{}[]":,\/utfn0e.-+ 19E"#.utf8.randomElement(using: &self.random)! }

    private mutating func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self.random) == 0 }

    private mutating func space(_ bytes: inout [UInt8]) {
        guard self.chance(4) else { return }
        for _ in 0...Int.random(in: 0...2, using: &self.random) {
            bytes.append([0x20, 0x09, 0x0A, 0x0D].randomElement(using: &self.random)!)
        }
    }

    private mutating func value(depth: Int, _ bytes: inout [UInt8]) {
        switch Int.random(in: 0..<(depth > 0 ? 10 : 6), using: &self.random) {
        case 0: bytes += Array("null".utf8)
        case 1: bytes += Array((self.chance(2) ? "true" : "false").utf8)
        case 2, 3: bytes += Array(self.number().utf8)
        case 4, 5: self.string(&bytes)
        case 6, 7: self.list("[", "]", &bytes) { generator, bytes in generator.value(depth: depth - 1, &bytes) }
        default:
            var index = 0
            self.list("{", "}", &bytes) { generator, bytes in
                // A number in each name, so that no name comes twice.
                bytes += Array("\"\(index)".utf8)
                index += 1
                generator.characters(&bytes)
                bytes.append(UInt8(ascii: "\""))
                generator.space(&bytes)
                bytes.append(UInt8(ascii: ":"))
                generator.space(&bytes)
                generator.value(depth: depth - 1, &bytes)
            }
        }
    }

    private mutating func list(
        _ open: String, _ close: String, _ bytes: inout [UInt8], _ element: (inout JSONGenerator, inout [UInt8]) -> Void
    ) {
        bytes += Array(open.utf8)
        self.space(&bytes)
        let count = Int.random(in: 0...4, using: &self.random)
        for index in 0..<count {
            if index > 0 {
                bytes.append(UInt8(ascii: ","))
                self.space(&bytes)
            }
            element(&self, &bytes)
            self.space(&bytes)
        }
        bytes += Array(close.utf8)
    }

    private mutating func number() -> String {
        var text = self.chance(3) ? "-" : ""
        text +=
            self.chance(4)
            ? "0"
            : String(
                Int64.random(in: 1...Int64.max, using: &self.random) >> Int64.random(in: 0...62, using: &self.random))
        if self.chance(3) { text += "." + String(UInt32.random(in: 0...UInt32.max, using: &self.random)) }
        if self.chance(5) {
            text += self.chance(2) ? "e" : "E"
            text +=
                ["", "+", "-"].randomElement(using: &self.random)! + String(Int.random(in: 0...30, using: &self.random))
        }
        return text
    }

    private mutating func string(_ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        self.characters(&bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func characters(_ bytes: inout [UInt8]) {
        for _ in 0..<Int.random(in: 0...12, using: &self.random) {
            switch Int.random(in: 0..<8, using: &self.random) {
            case 0:
                bytes +=
                    Array(#"\\"#.utf8.dropLast())
                    + ["\"", "\\", "/", "b", "f", "n", "r", "t"].randomElement(using: &self.random)!.utf8
            case 1: bytes += Array(self.unicodeEscape().utf8)
            case 2:
                bytes += Array(
                    ["é", "ß", "€", "\u{FFFF}", "\u{1F600}", "\u{10FFFF}", "\u{7F}", "\u{301}"].randomElement(
                        using: &self.random)!.utf8)
            default:
                bytes.append(
                    [UInt8](0x20...0x7E).filter { $0 != 0x22 && $0 != 0x5C }.randomElement(using: &self.random)!)
            }
        }
    }

    private mutating func unicodeEscape() -> String {
        func escape(_ code: UInt32, _ isUpper: Bool) -> String {
            let hex = String(code, radix: 16, uppercase: isUpper)
            return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }
        let isUpper = self.chance(2)
        if self.chance(4) {
            let code = UInt32.random(in: 0x10000...0x10FFFF, using: &self.random) - 0x10000
            return escape(0xD800 + code >> 10, isUpper) + escape(0xDC00 + code & 0x3FF, isUpper)
        }
        let code = UInt32.random(in: 0...0xFFFF, using: &self.random) >> UInt32.random(in: 0...15, using: &self.random)
        return escape((0xD800..<0xE000).contains(code) ? code - 0x800 : code, isUpper)
    }
}
