/// A configuration that is refused, with everything that is wrong with it.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// Where it was read: a path, "environment" or "command line".
        public let source: String
        /// The line of a file, from 1, where it is known.
        public let line: Int?
        /// The key's path, or the variable's name; `nil` when the whole source is meant.
        public let key: String?
        /// What is wrong and what is allowed, as one sentence without a full stop. Never shows a secret.
        public let message: String

        init(source: String, line: Int? = nil, key: String? = nil, _ message: String) {
            self.source = source
            self.line = line
            self.key = key
            self.message = message
        }

        /// `polybot.toml:7: risk.max_order_usd: found "ten" (text), allowed is a number …`
        public var description: String {
            let place = self.line.map { "\(self.source):\($0)" } ?? self.source
            return [place, self.key, self.message].compactMap { $0 }.joined(separator: ": ")
        }
    }

    /// At least one.
    public let problems: [Problem]

    /// One line for each problem.
    public var description: String { self.problems.map(\.description).joined(separator: "\n") }
}

/// How values and names appear in errors.
enum ConfigurationText {
    /// Longest piece of a value that an error repeats.
    private static let shownCountMax = 60

    /// A value as an error shows it, with its type. What may be a key of 32 bytes is never shown.
    static func shown(_ input: ConfigurationInput, isSecret: Bool) -> String {
        if isSecret { return "a value that is not shown here" }
        return switch input {
        case .bool(let value): "\(value) (true or false)"
        case .integer(let value): "\(value) (a whole number)"
        case .double(let value): "\(value) (a number)"
        case .string(let text): "\"\(Self.cut(text))\" (text)"
        case .array(let elements): "a list of \(elements.count)"
        case .table: "a section"
        case .date: "a date or time"
        case .untyped(let text): "\"\(Self.cut(text))\""
        }
    }

    /// `text` without control characters, shortened, and without anything that looks like a private key.
    static func cut(_ text: String) -> String {
        if Self.looksSecret(text) { return "…not shown, it may be a private key…" }
        let plain = Self.plain(text)
        return plain.count <= Self.shownCountMax ? plain : plain.prefix(Self.shownCountMax) + "…"
    }

    /// `text` with a question mark for each control character: a message is one line.
    static func plain(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Whether `text` holds 64 hexadecimal digits in a row: a private key has that form.
    static func looksSecret(_ text: String) -> Bool {
        var run = 0
        for byte in text.utf8 {
            let isHex = Character(UnicodeScalar(byte)).isHexDigit && byte < 0x80
            run = isHex ? run + 1 : 0
            if run >= 64 { return true }
        }
        return false
    }

    /// The one of `names` that `name` most likely means; `nil` when none is near.
    static func nearest(to name: String, among names: [String]) -> String? {
        let lowered = name.lowercased()
        // A key that stands in the wrong section, or in none.
        let last = lowered.split(separator: ".").last.map(String.init) ?? lowered
        if let moved = names.first(where: { $0 == last || $0.hasSuffix("." + last) }) { return moved }
        let ranked = names.map { (distance: Self.distance(lowered, $0.lowercased()), name: $0) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(2, name.count / 4) else {
            return nil
        }
        return best.name
    }

    /// Letters to insert, remove, replace or exchange with their neighbour until `a` is `b`.
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8.prefix(100))
        let b = Array(b.utf8.prefix(100))
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
