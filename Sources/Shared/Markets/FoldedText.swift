import Glibc

/// Texts as words are looked for in them: lower case, without diacritics, and everything that is neither letter nor digit
/// one space. "São Paulo: Up?" becomes " sao paulo up ". A text and its phrases are compared by bytes then.
struct FoldedText {
    /// Stands between two texts: no phrase reaches over it.
    private static let separator: UInt8 = 1
    private static let space = UInt8(ascii: " ")

    private(set) var bytes: [UInt8] = [Self.space]

    init(_ texts: [String]) {
        self.bytes.reserveCapacity(texts.reduce(2) { $0 + $1.utf8.count + 2 })
        for (index, text) in texts.enumerated() {
            if index > 0 {
                self.bytes.append(Self.separator)
                self.bytes.append(Self.space)
            }
            for scalar in text.unicodeScalars { self.append(scalar) }
            self.endWord()
        }
    }

    private mutating func endWord() { if self.bytes.last != Self.space { self.bytes.append(Self.space) } }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x61...0x7A, 0x30...0x39: self.bytes.append(UInt8(scalar.value))
        case 0x41...0x5A: self.bytes.append(UInt8(scalar.value | 0x20))
        case 0..<0x80: self.endWord()
        // Combining diacritical marks.
        case 0x300...0x36F: break
        default: self.append(foreign: scalar)
        }
    }

    private mutating func append(foreign scalar: Unicode.Scalar) {
        if let base = Self.bases[scalar] {
            self.bytes.append(contentsOf: base.utf8)
            return
        }
        let properties = scalar.properties
        switch properties.generalCategory {
        // Vowels of many scripts are marks.
        case .nonspacingMark, .spacingMark: self.bytes.append(contentsOf: String(scalar).utf8)
        case _ where properties.isAlphabetic || properties.numericType != nil:
            self.bytes.append(contentsOf: properties.lowercaseMapping.utf8)
        default: self.endWord()
        }
    }

    /// Latin and Greek letters without what is set on them, by their names in Unicode.
    private static let bases: [Unicode.Scalar: String] = {
        var plain: [String: String] = [:]
        for value in [0x61...0x7A, 0x3B1...0x3C9 as ClosedRange<UInt32>].joined() {
            guard let scalar = Unicode.Scalar(value), let name = scalar.properties.name else { continue }
            plain[name] = String(scalar)
        }
        var bases: [Unicode.Scalar: String] = [
            "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ı": "i",
        ]
        for value in [0xC0...0x24F, 0x386...0x3CE, 0x1E00...0x1FFF as ClosedRange<UInt32>].joined() {
            guard let scalar = Unicode.Scalar(value), let name = scalar.properties.name,
                let end = name.firstRange(of: " WITH ")
            else { continue }
            let letter = String(name[..<end.lowerBound]).replacing(" CAPITAL ", with: " SMALL ")
            if let base = plain[letter] { bases[scalar] = base }
        }
        return bases
    }()
}

/// Words and phrases, at least one of which is to be found.
struct WordList: Hashable, Sendable {
    /// As configured.
    private let words: [String]
    /// Folded, each with a space at both ends: whole words match.
    private let phrases: [[UInt8]]

    init(_ words: [String]) {
        self.words = words
        self.phrases = words.map { FoldedText([$0]).bytes }
    }

    var isEmpty: Bool { self.phrases.isEmpty }

    func isFound(in text: FoldedText) -> Bool { self.first(in: text) != nil }

    /// The first of the words that is found.
    func first(in text: FoldedText) -> String? {
        text.bytes.withUnsafeBufferPointer { text in
            self.phrases.firstIndex { phrase in phrase.withUnsafeBufferPointer { Self.contains(text, $0) } }
        }.map { self.words[$0] }
    }

    /// Whether one of `texts` is one of the phrases, from its first word to its last.
    func isOne(of texts: [String]) -> Bool { self.first(of: texts) != nil }

    /// The first of the words that is one of `texts`.
    func first(of texts: [String]) -> String? {
        let folded = Set(texts.map { FoldedText([$0]).bytes })
        return self.phrases.firstIndex { folded.contains($0) }.map { self.words[$0] }
    }

    private static func contains(_ text: UnsafeBufferPointer<UInt8>, _ phrase: UnsafeBufferPointer<UInt8>) -> Bool {
        // A space alone was a word without letters.
        guard phrase.count > 2, phrase.count <= text.count else { return false }
        let second = phrase[1]
        var start = 0
        while start <= text.count - phrase.count {
            if text[start + 1] == second, memcmp(text.baseAddress! + start, phrase.baseAddress!, phrase.count) == 0 {
                return true
            }
            start += 1
        }
        return false
    }
}
