import TOMLKit

/// A `polybot.toml` taken apart: what it says for each path, and on which line.
///
/// TOMLKit reads the language; this type knows nothing of which keys exist.
struct ConfigurationDocument {
    struct Entry: Equatable {
        /// "risk.max_order_usd". A name that is no plain key stands in quotes.
        let path: String
        let input: ConfigurationInput
        let line: Int?
    }

    /// Largest file.
    static let byteCountMax = 1 << 20

    /// All values, in the order of their paths.
    private(set) var entries: [Entry] = []
    private let lines: [String: Int]

    /// - Parameter name: the file, for errors.
    /// - Throws: what is wrong with the text as TOML, with its line.
    init(_ text: String, name: String) throws(ConfigurationError) {
        func refuse(_ message: String, line: Int? = nil) -> ConfigurationError {
            ConfigurationError(problems: [.init(source: name, line: line, message)])
        }
        // The C++ parser below takes a C string and would stop at the first zero without a word.
        guard !text.utf8.contains(0) else { throw refuse("holds a zero byte, so it is no TOML") }
        guard text.utf8.count <= Self.byteCountMax else { throw refuse("is over \(Self.byteCountMax) bytes long") }
        if let (line, problem) = TOMLTraps.first(in: text) { throw refuse("is not valid TOML: \(problem)", line: line) }
        self.lines = Self.lines(of: text)
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let what =
                ConfigurationText.looksSecret(error.description)
                ? "cannot be read" : ConfigurationText.plain(error.description)
            throw refuse("is not valid TOML: \(what)", line: error.source.begin.line)
        } catch {
            throw refuse("is not valid TOML")
        }
        self.collect(table, under: "")
        self.entries.sort { $0.path < $1.path }
    }

    private mutating func collect(_ table: TOMLTable, under prefix: String) {
        for key in table.keys {
            guard let value = table[key] else { continue }
            let path = prefix + Self.component(key)
            if let inner = value.table, !inner.isEmpty {
                self.collect(inner, under: path + ".")
            } else {
                self.entries.append(Entry(path: path, input: Self.input(value), line: self.lines[path]))
            }
        }
    }

    private static func input(_ value: any TOMLValueConvertible) -> ConfigurationInput {
        switch value.type {
        case .table: .table
        case .array: .array((value.array.map(Array.init) ?? []).map { Self.input($0) })
        case .string: .string(value.string ?? "")
        case .int: .integer(Int64(value.int ?? 0))
        case .double: .double(value.double ?? .nan)
        case .bool: .bool(value.bool ?? false)
        case .date, .time, .dateTime: .date
        }
    }

    /// A key that holds a dot or other signs is none of ours; quoted, it cannot pass for a path.
    private static func component(_ key: String) -> String {
        let isPlain = !key.isEmpty && key.utf8.allSatisfy(Self.isPlain) && !ConfigurationText.looksSecret(key)
        return isPlain ? key : "\"\(ConfigurationText.cut(key))\""
    }

    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// The line of each `key =` under its `[section]`, as far as a glance tells: TOMLKit keeps no positions.
    private static func lines(of text: String) -> [String: Int] {
        var lines: [String: Int] = [:]
        var section = ""
        for (index, line) in text.splitIntoLines().enumerated() {
            let line = line.trimmed
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                section = line[line.index(after: line.startIndex)..<end].trimmed
                lines[section] = lines[section] ?? index + 1
                section += "."
            } else if let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].trimmed
                guard key.utf8.allSatisfy({ Self.isPlain($0) || $0 == UInt8(ascii: ".") }) else { continue }
                lines[section + key] = lines[section + key] ?? index + 1
            }
        }
        return lines
    }
}
