import Foundation
import Shared
import Testing

/// The reader against Foundation's, on made-up documents and broken ones: both accept, with equal values, or both refuse.
///
/// Where they differ, ours means to. Foundation takes a byte-order mark, UTF-16 and UTF-32, a comma before a closing
/// bracket, and 512 levels; it refuses lone surrogates, numbers that no `Double` holds and "0e3"; of a name that comes twice its
/// decoder keeps the first value.
@Suite struct JSONAgainstFoundationTests {
    @Test(arguments: UInt64(1)...20) func madeUpDocumentsAreReadAlike(seed: UInt64) throws {
        var generator = JSONGenerator(seed: seed)
        for _ in 0..<100 {
            let bytes = generator.document()
            let text = String(decoding: bytes, as: UTF8.self)
            let ours = try JSONValue(parsing: bytes)
            guard !ours.hasNumberThatFoundationRefuses else { continue }
            let theirs = try #require(FoundationValue(parsing: bytes), "seed \(seed): \(text)")
            #expect(theirs.equals(ours), "seed \(seed): \(text)")
        }
    }

    @Test(arguments: UInt64(1)...20) func brokenDocumentsAreJudgedAlike(seed: UInt64) {
        var generator = JSONGenerator(seed: 1_000 + seed)
        var acceptedCount = 0
        for _ in 0..<500 {
            let bytes = generator.broken(generator.document(depth: 3))
            guard !Self.mayBeWide(bytes) else { continue }
            let theirs = FoundationValue(parsing: bytes)
            let text = "seed \(seed): \(String(decoding: bytes, as: UTF8.self))"
            do throws(JSONError) {
                let ours = try JSONValue(parsing: bytes)
                acceptedCount += 1
                if let theirs {
                    #expect(theirs.equals(ours) || Self.hasRepeatedName(bytes), "\(text)")
                } else {
                    #expect(
                        Self.hasLoneSurrogate(bytes) || ours.hasNumberThatFoundationRefuses, "only ours takes \(text)")
                }
            } catch {
                #expect(theirs == nil || Self.isCommaBeforeBracket(bytes, error), "only theirs takes \(text): \(error)")
            }
        }
        #expect(acceptedCount > 50, "too few survive to prove something")
    }

    @Test(arguments: [
        "é", "e\u{301}", "\u{FFFF}", "\u{1F468}\u{200D}\u{1F469}", "\u{7F}", "\u{0}", "\u{2028}", "\r\n", "\"\\/", "",
    ])
    func textsAreTheSameScalarByScalar(text: String) throws {
        let encoded = Array(try JSONEncoder().encode([text]))
        guard case .array(let elements) = try JSONValue(parsing: encoded), let read = elements[0].string else {
            return #expect(Bool(false), "no array of one text")
        }
        #expect(Array(read.unicodeScalars) == Array(text.unicodeScalars))
        var writer = JSONWriter()
        writer.array { $0.string(text) }
        let decoded = try JSONDecoder().decode([String].self, from: Data(writer.bytes))
        #expect(Array(decoded[0].unicodeScalars) == Array(text.unicodeScalars))
    }

    /// What the writer writes Foundation reads.
    @Test(arguments: UInt64(1)...10) func whatIsWrittenIsReadAlike(seed: UInt64) throws {
        var generator = JSONGenerator(seed: 2_000 + seed)
        for _ in 0..<100 {
            let value = try JSONValue(parsing: generator.document())
            guard !value.hasNumberThatFoundationRefuses else { continue }
            var writer = JSONWriter()
            value.write(to: &writer)
            #expect(try JSONValue(parsing: writer.bytes) == value)
            #expect(try #require(FoundationValue(parsing: writer.bytes)).equals(value))
        }
    }

    // MARK: Deliberate differences

    private static func mayBeWide(_ bytes: [UInt8]) -> Bool { bytes.prefix(4).contains(0) || bytes.first ?? 0 >= 0xEF }

    private static func isCommaBeforeBracket(_ bytes: [UInt8], _ error: JSONError) -> Bool {
        guard error.problem == .unexpected, error.offset < bytes.count else { return false }
        let before = bytes[..<error.offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return [UInt8(ascii: "]"), UInt8(ascii: "}")].contains(bytes[error.offset]) && before == UInt8(ascii: ",")
    }

    private static func hasLoneSurrogate(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        return "89abcdef".contains { text.contains("\\ud\($0)") }
    }

    private static func hasRepeatedName(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            return (try? Self.hasRepeatedName(&reader)) ?? false
        }
    }

    private static func hasRepeatedName(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        var isRepeated = false
        switch try reader.peek() {
        case .object:
            var names: Set<String> = []
            try reader.object { (key, reader) throws(JSONError) in
                if !names.insert(key.string).inserted { isRepeated = true }
                if try Self.hasRepeatedName(&reader) { isRepeated = true }
            }
        case .array:
            try reader.array { (reader) throws(JSONError) in if try Self.hasRepeatedName(&reader) { isRepeated = true }
            }
        case .string, .number, .bool, .null: try reader.skip()
        }
        return isRepeated
    }
}

extension JSONValue {
    fileprivate var hasNumberThatFoundationRefuses: Bool {
        switch self {
        case .number(let text):
            // "0e3" is a number to the standard, but not to Foundation.
            guard let value = Double(text), !text.hasPrefix("0e"), !text.hasPrefix("0E") else { return true }
            let digits = text.prefix { $0 != "e" && $0 != "E" }
            return value.isInfinite || value == 0 && digits.contains { ("1"..."9").contains($0) }
        case .array(let elements): return elements.contains(where: \.hasNumberThatFoundationRefuses)
        case .object(let members): return members.values.contains(where: \.hasNumberThatFoundationRefuses)
        case .null, .bool, .string: return false
        }
    }
}

/// What Foundation's decoder makes of a text.
private indirect enum FoundationValue: Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([FoundationValue])
    case object([String: FoundationValue])

    init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(FoundationValue.self, from: Data(bytes)) else { return nil }
        self = value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([FoundationValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: FoundationValue].self))
        }
    }

    func equals(_ ours: JSONValue) -> Bool {
        switch (self, ours) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == Double(b)
        case (.string(let a), .string(let b)): Array(a.unicodeScalars) == Array(b.unicodeScalars)
        case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.equals($1) }
        case (.object(let a), .object(let b)):
            a.count == b.count && a.allSatisfy { key, value in b[key].map(value.equals) ?? false }
        default: false
        }
    }
}
