import Logging

/// Swift text as far as finding calls in it needs: words, signs and texts in quotes, without comments.
enum SourceToken: Equatable {
    case word(String)
    case sign(Character)
    /// A literal; `isDynamic` when something is put into it. Multi-line ones are taken as they stand.
    case text(String, isDynamic: Bool)

    static func read(_ source: String) -> [(token: SourceToken, line: Int)] {
        var reader = Reader(source: Array(source))
        return reader.read(until: nil)
    }

    private struct Reader {
        let source: [Character]
        var place = 0
        var line = 1

        init(source: [Character]) { self.source = source }

        private func starts(with text: String) -> Bool { self.source[self.place...].starts(with: text) }

        private mutating func advance(_ count: Int = 1) {
            for character in self.source[self.place..<min(self.place + count, self.source.count)]
            where character.isNewline { self.line += 1 }
            self.place += count
        }

        /// - Parameter end: the sign that ends the piece, where brackets are balanced: ")" of an interpolation.
        mutating func read(until end: Character?) -> [(token: SourceToken, line: Int)] {
            var tokens: [(token: SourceToken, line: Int)] = []
            var depth = 0
            while self.place < self.source.count {
                let character = self.source[self.place]
                let line = self.line
                if self.starts(with: "//") {
                    while self.place < self.source.count, !self.source[self.place].isNewline { self.place += 1 }
                } else if self.starts(with: "/*") {
                    self.skipBlockComment()
                } else if let hashCount = self.hashesOfLiteral {
                    tokens.append((self.readLiteral(hashCount), line))
                } else if character.isLetter || character == "_" {
                    var word = ""
                    while self.place < self.source.count, Self.isOfWord(self.source[self.place]) {
                        word.append(self.source[self.place])
                        self.place += 1
                    }
                    tokens.append((.word(word), line))
                } else {
                    if character == end && depth == 0 { return tokens }
                    if character == "(" { depth += 1 }
                    if character == ")" { depth -= 1 }
                    if !character.isWhitespace { tokens.append((.sign(character), line)) }
                    self.advance()
                }
            }
            return tokens
        }

        private static func isOfWord(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || character == "_"
        }

        private mutating func skipBlockComment() {
            var depth = 0
            repeat {
                if self.starts(with: "/*") {
                    depth += 1
                    self.advance(2)
                } else if self.starts(with: "*/") {
                    depth -= 1
                    self.advance(2)
                } else {
                    self.advance()
                }
            } while depth > 0 && self.place < self.source.count
        }

        /// How many "#" open the literal that begins here; `nil` when none does.
        private var hashesOfLiteral: Int? {
            let hashes = self.source[self.place...].prefix { $0 == "#" }
            return hashes.endIndex < self.source.count && self.source[hashes.endIndex] == "\"" ? hashes.count : nil
        }

        private mutating func readLiteral(_ hashCount: Int) -> SourceToken {
            let hashes = String(repeating: "#", count: hashCount)
            self.advance(hashCount)
            let quotes = self.starts(with: "\"\"\"") ? "\"\"\"" : "\""
            self.advance(quotes.count)
            var text = ""
            var isDynamic = false
            while self.place < self.source.count, !self.starts(with: quotes + hashes) {
                if self.starts(with: "\\" + hashes + "(") {
                    isDynamic = true
                    self.advance(2 + hashCount)
                    _ = self.read(until: ")")
                    self.advance()
                } else if self.starts(with: "\\" + hashes) {
                    text.append(contentsOf: self.source[self.place...].prefix(2 + hashCount))
                    self.advance(2 + hashCount)
                } else {
                    text.append(self.source[self.place])
                    self.advance()
                }
            }
            self.advance(quotes.count + hashCount)
            return .text(text, isDynamic: isDynamic)
        }
    }
}

/// A place in the sources where something is logged.
struct LoggerCall {
    /// From the package's top.
    let file: String
    let line: Int
    /// `nil` where it is chosen at run time.
    let level: Logger.Level?
    /// Those of which one is said; empty when it is not written there.
    let sentences: [String]
    /// Names of the facts in the call.
    let facts: Set<String>
    /// Whether all facts stand in the call.
    let hasAllFacts: Bool

    /// Calls that log on behalf of others, by name, with their level.
    static let wrappers: [String: Logger.Level] = ["warn": .warning]

    /// All calls in a file: `logger.warning("…", …)`, `logger.log(level: …, "…")`, the wrappers', and the one line that
    /// the log itself adds, `notice.message = "…"`.
    static func all(in source: String, file: String) -> [LoggerCall] {
        let tokens = SourceToken.read(source)
        var calls: [LoggerCall] = []
        for index in tokens.indices.dropFirst(2) {
            guard case .word(let name) = tokens[index].token, tokens[index - 1].token == .sign("."),
                Self.isReceiver(tokens[index - 2].token), index + 1 < tokens.endIndex
            else { continue }
            let line = tokens[index].line
            if name == "message", tokens[index - 2].token == .word("notice"), index + 2 < tokens.endIndex,
                case .text(let sentence, false) = tokens[index + 2].token
            {
                calls.append(
                    LoggerCall(
                        file: file, line: line, level: .warning, sentences: [sentence], facts: [], hasAllFacts: false))
            }
            guard tokens[index + 1].token == .sign("(") else { continue }
            var arguments = Self.arguments(of: tokens[(index + 2)...].map(\.token))
            let isLevelled = name == "log" && arguments.first?.starts(with: [.word("level"), .sign(":")]) == true
            let level = isLevelled ? nil : Logger.Level(rawValue: name) ?? Self.wrappers[name]
            guard isLevelled || level != nil else { continue }
            if isLevelled { arguments.removeFirst() }
            let sentences = (arguments.first ?? []).map { token -> String? in
                if case .text(let text, false) = token { text } else { nil }
            }
            let isConstant = !(arguments.first ?? []).contains { if case .text(_, true) = $0 { true } else { false } }
            let facts = arguments.dropFirst().flatMap { Self.keys(of: $0) }
            calls.append(
                LoggerCall(
                    file: file, line: line, level: level, sentences: isConstant ? sentences.compactMap { $0 } : [],
                    facts: Set(facts), hasAllFacts: arguments.dropFirst().allSatisfy { !Self.keys(of: $0).isEmpty }))
        }
        return calls
    }

    /// `case .error(` is no call; a call has somebody before the dot.
    private static func isReceiver(_ token: SourceToken) -> Bool {
        switch token {
        case .word(let word): !["case", "return", "in", "throw", "try", "else", "is", "as", "default"].contains(word)
        case .sign(let sign): ")]?!".contains(sign)
        case .text: false
        }
    }

    private static func arguments(of tokens: [SourceToken]) -> [[SourceToken]] {
        var arguments: [[SourceToken]] = [[]]
        var depth = 0
        for token in tokens {
            if case .sign(let sign) = token {
                if sign == ")" && depth == 0 { break }
                if "([{".contains(sign) { depth += 1 }
                if ")]}".contains(sign) { depth -= 1 }
                if sign == "," && depth == 0 {
                    arguments.append([])
                    continue
                }
            }
            arguments[arguments.count - 1].append(token)
        }
        return arguments
    }

    /// Names in a literal of facts.
    private static func keys(of argument: [SourceToken]) -> [String] {
        argument.indices.dropLast().compactMap { index in
            guard case .text(let name, false) = argument[index], argument[index + 1] == .sign(":"),
                index == 0 || argument[index - 1] == .sign("[") || argument[index - 1] == .sign(",")
            else { return nil }
            return name
        }
    }
}
