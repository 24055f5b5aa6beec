import Shared

/// What a source says for a key, before anybody knows whether it is allowed.
enum ConfigurationInput: Equatable, Sendable {
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([ConfigurationInput])
    case table
    case date
    /// Text from the environment or the command line, where everything is text.
    case untyped(String)
}

/// What a key may hold.
enum ConfigurationKind: Equatable, Sendable {
    case bool
    case integer(ClosedRange<Int64>)
    /// Millionths; at most six places are read.
    case decimal(ClosedRange<Int64>)
    case choice([String], aliases: [String: String])
    case url(schemes: [String], isOptional: Bool)
    case text(isOptional: Bool)
    /// "0x" and forty hexadecimal digits, or nothing.
    case address
    case list

    /// Longest text, in bytes.
    static let textByteCountMax = 1_024
    /// Longest list.
    static let listCountMax = 500

    /// The value, or `nil` where `input` is not allowed.
    func value(of input: ConfigurationInput) -> ConfigurationValue? {
        switch self {
        case .bool: Self.bool(input).map { .bool($0) }
        case .integer(let range): Self.integer(input).flatMap { range.contains($0) ? .integer($0) : nil }
        case .decimal(let range): Self.micros(input).flatMap { range.contains($0) ? .decimal($0) : nil }
        case .choice(let choices, let aliases):
            Self.text(input).flatMap { text in
                let lowered = text.lowercased()
                let choice = aliases[lowered] ?? lowered
                return choices.contains(choice) ? .text(choice) : nil
            }
        case .url(let schemes, let isOptional):
            Self.text(input).flatMap { text in
                text.isEmpty ? (isOptional ? .text("") : nil) : Self.url(text, schemes).map { .text($0) }
            }
        case .text(let isOptional):
            Self.text(input).flatMap { $0.isEmpty && !isOptional ? nil : .text($0) }
        case .address:
            Self.text(input).flatMap { $0.isEmpty || Self.isAddress($0) ? .text($0) : nil }
        case .list: Self.list(input).map { .list($0) }
        }
    }

    /// What is allowed, for errors and for the documented file.
    var allowed: String {
        switch self {
        case .bool: "true or false"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .decimal(let range):
            "a number from \(Decimal6.text(range.lowerBound)) to \(Decimal6.text(range.upperBound)), six decimals at most"
        case .choice(let choices, _): "one of " + choices.map { "\"\($0)\"" }.joined(separator: ", ")
        case .url(let schemes, let isOptional):
            "a URL that begins with " + schemes.map { "\($0)://" }.joined(separator: " or ")
                + (isOptional ? ", or empty text" : "")
        case .text(let isOptional): isOptional ? "text, or empty text" : "text that is not empty"
        case .address: "0x and 40 hexadecimal digits, or empty text"
        case .list: "a list of at most \(Self.listCountMax) texts (in the environment: separated by commas)"
        }
    }

    // MARK: Reading

    private static func bool(_ input: ConfigurationInput) -> Bool? {
        switch input {
        case .bool(let value): value
        case .untyped(let text): Self.bool(text)
        default: nil
        }
    }

    /// As people write it in the environment.
    static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    private static func integer(_ input: ConfigurationInput) -> Int64? {
        switch input {
        case .integer(let value): value
        case .untyped(let text): Int64(text)
        default: nil
        }
    }

    private static func micros(_ input: ConfigurationInput) -> Int64? {
        switch input {
        case .integer(let value):
            let (micros, overflow) = value.multipliedReportingOverflow(by: Decimal6.scale)
            return overflow ? nil : micros
        case .double(let value):
            // Exact or refused: the nearest double of a decimal with six places is found again by this division.
            let scaled = (value * 1e6).rounded()
            guard scaled.magnitude < 9e15, scaled / 1e6 == value else { return nil }
            return Int64(scaled)
        case .untyped(let text):
            return text.first == "-" ? Decimal6.parse(text.dropFirst()).map { -$0 } : Decimal6.parse(text)
        case .bool, .string, .array, .table, .date: return nil
        }
    }

    private static func text(_ input: ConfigurationInput) -> String? {
        let text: String
        switch input {
        case .string(let value), .untyped(let value): text = value
        default: return nil
        }
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        return isPlain && text.utf8.count <= Self.textByteCountMax ? text : nil
    }

    /// Every element is text without spaces around it, and not empty.
    private static func list(_ input: ConfigurationInput) -> [String]? {
        let elements: [ConfigurationInput]
        switch input {
        case .array(let values): elements = values
        case .untyped(let text): elements = text.split(separator: ",").map { .string(String($0)) }
        default: return nil
        }
        guard elements.count <= Self.listCountMax else { return nil }
        var texts: [String] = []
        for element in elements {
            guard let text = Self.text(element)?.trimmed, !text.isEmpty else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// The URL without a slash at its end; `nil` when it is none of `schemes`, has no host, or a port that cannot be.
    private static func url(_ text: String, _ schemes: [String]) -> String? {
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0 + "://") }) else { return nil }
        let rest = text.dropFirst(scheme.count + 3)
        guard !rest.utf8.contains(UInt8(ascii: " ")) else { return nil }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let hostAndPort = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let afterHost: Substring
        if hostAndPort.first == "[" {
            guard let end = hostAndPort.firstIndex(of: "]") else { return nil }
            afterHost = hostAndPort[hostAndPort.index(after: end)...]
        } else {
            afterHost = hostAndPort.drop { $0 != ":" }
            guard afterHost.count < hostAndPort.count else { return nil }
        }
        if !afterHost.isEmpty {
            guard afterHost.first == ":", let port = Int(afterHost.dropFirst()), (1...65_535).contains(port) else {
                return nil
            }
        }
        var url = text
        while url.last == "/" { url.removeLast() }
        return url
    }

    private static func isAddress(_ text: String) -> Bool {
        text.hasPrefix("0x") && text.utf8.count == 42 && text.dropFirst(2).allSatisfy { $0.isASCII && $0.isHexDigit }
    }
}

extension StringProtocol {
    /// Without spaces, tabs and line ends around it.
    var trimmed: String {
        let isSpace = { (character: Character) in character == " " || character == "\t" || character.isNewline }
        let start = self.drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(start[...last])
    }

    /// Its lines, the empty ones included. What an editor of another system ends with "\r\n" is one `Character`.
    func splitIntoLines() -> [SubSequence] {
        self.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    }
}
