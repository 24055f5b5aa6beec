/// Texts on which the TOML parser underneath (toml++ 3.4) ends the process instead of refusing them. Found by the fuzzer;
/// the files are in `Fuzz/Corpus/configuration`.
///
/// A line is looked at by itself, so a few texts of legal TOML are refused as well: those that show such a thing inside a
/// text of several lines, and lists of lists. None of them is a value of a key of ours.
enum TOMLTraps {
    /// Most parts of a name: the parser goes one call deeper for each. Ours have three.
    private static let namePartCountMax = 100

    /// The first line with a trap, and what is wrong with it.
    static func first(in text: String) -> (line: Int, problem: String)? {
        // The last sign that is no space, over the ends of lines: a list may have many.
        var last: UInt8 = 0
        for (index, line) in text.splitIntoLines().enumerated() {
            var bare = Self.bare(line.utf8)
            if index == 0, bare.starts(with: "\u{FEFF}".utf8) { bare.removeFirst("\u{FEFF}".utf8.count) }
            if let problem = self.problem(of: bare) { return (index + 1, problem) }
            for byte in bare where !Self.isSpace(byte) {
                if byte == UInt8(ascii: "}") && (last == UInt8(ascii: "[") || last == UInt8(ascii: ",")) {
                    return (index + 1, "a value is missing before }")
                }
                last = byte
            }
        }
        return nil
    }

    /// The line without its comment and without what stands in quotes, which stay.
    private static func bare(_ line: some Sequence<UInt8>) -> [UInt8] {
        var bare: [UInt8] = []
        var quote: UInt8?
        var isEscaped = false
        for byte in line {
            if let open = quote {
                if byte == open && !isEscaped {
                    quote = nil
                    bare.append(byte)
                }
                isEscaped = byte == UInt8(ascii: "\\") && open == UInt8(ascii: "\"") && !isEscaped
            } else {
                if byte == UInt8(ascii: "#") { break }
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { quote = byte }
                bare.append(byte)
            }
        }
        return bare
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func problem(of bare: [UInt8]) -> String? {
        var name = bare.drop(while: Self.isSpace)
        if name.first == UInt8(ascii: "[") {
            name = name.dropFirst()
            if name.first == UInt8(ascii: "[") { name = name.dropFirst() }
            name = name.drop(while: Self.isSpace)
            let begins = name.first.map { ConfigurationDocument.isPlain($0) || "\"']".utf8.contains($0) } ?? false
            if !begins { return "a section's name is missing, or begins with a sign" }
        }
        let dots = bare.prefix { $0 != UInt8(ascii: "=") }.count { $0 == UInt8(ascii: ".") }
        if dots >= Self.namePartCountMax { return "a name has more than \(Self.namePartCountMax) parts" }
        return Self.hasDateWithoutTime(bare) ? "a date is followed by T and no time" : nil
    }

    /// Whether "2026-11-25T" stands somewhere and no digit after it.
    private static func hasDateWithoutTime(_ bytes: [UInt8]) -> Bool {
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        let form = Array("0000-00-00".utf8)
        for (index, byte) in bytes.enumerated() where byte | 0x20 == UInt8(ascii: "t") && index >= form.count {
            let isDate = zip(bytes[index - form.count..<index], form).allSatisfy {
                $1 == UInt8(ascii: "-") ? $0 == $1 : isDigit($0)
            }
            if isDate && !(index + 1 < bytes.count && isDigit(bytes[index + 1])) { return true }
        }
        return false
    }
}
