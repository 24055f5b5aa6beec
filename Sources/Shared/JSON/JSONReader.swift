import Glibc

/// Why a text is not the JSON that was expected, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Problem: String, Hashable, Sendable {
        case endOfInput = "the text ends too early"
        case unexpected = "an unexpected character"
        case badString = "a malformed string"
        case badUTF8 = "bytes that are not UTF-8"
        case badNumber = "a malformed number"
        case outOfRange = "a number out of range"
        case tooDeep = "too many nested levels"
        case trailing = "text after the value"
        case missing = "a missing member"
        case wrongValue = "a value that is not allowed"
    }
    public let problem: Problem
    /// Byte offset in the text.
    public let offset: Int
    /// The member concerned, where known.
    public let member: String?

    public init(_ problem: Problem, at offset: Int, member: String? = nil) {
        self.problem = problem
        self.offset = offset
        self.member = member
    }

    public var description: String {
        "\(self.problem.rawValue)\(self.member.map { " (\($0))" } ?? "") at byte \(self.offset)"
    }
}

/// A JSON string as it stands in the text, without its quotes. Valid only as long as the text it points into.
public struct JSONText {
    public let bytes: UnsafeBufferPointer<UInt8>
    /// Whether it holds backslash escapes that `string` must resolve.
    public let isEscaped: Bool

    @inlinable
    init(bytes: UnsafeBufferPointer<UInt8>, isEscaped: Bool) {
        self.bytes = bytes
        self.isEscaped = isEscaped
    }

    /// Whether it is exactly `other`, which must be ASCII without escapes.
    public static func == (text: JSONText, other: StaticString) -> Bool {
        text.bytes.count == other.utf8CodeUnitCount
            && memcmp(text.bytes.baseAddress!, other.utf8Start, other.utf8CodeUnitCount) == 0
    }

    /// For `switch`.
    public static func ~= (other: StaticString, text: JSONText) -> Bool { text == other }

    /// The text with its escapes resolved. Lone surrogates become U+FFFD.
    public var string: String {
        self.isEscaped ? Self.unescape(self.bytes) : String(decoding: self.bytes, as: UTF8.self)
    }

    private static func unescape(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        func hex(at start: Int) -> UInt32 {
            var value: UInt32 = 0
            for position in start..<start + 4 {
                let byte = bytes[position]
                let digit =
                    byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : (byte | 0x20) - UInt8(ascii: "a") + 10
                value = value << 4 | UInt32(digit)
            }
            return value
        }
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                index += 1
                continue
            }
            let escape = bytes[index + 1]
            index += 2
            switch escape {
            case UInt8(ascii: "b"): out.append(8)
            case UInt8(ascii: "f"): out.append(12)
            case UInt8(ascii: "n"): out.append(10)
            case UInt8(ascii: "r"): out.append(13)
            case UInt8(ascii: "t"): out.append(9)
            case UInt8(ascii: "u"):
                var code = hex(at: index)
                index += 4
                if (0xD800..<0xDC00).contains(code), index + 6 <= bytes.count,
                    bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u"),
                    case let low = hex(at: index + 2), (0xDC00..<0xE000).contains(low)
                {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                    index += 6
                }
                let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
                out.append(contentsOf: String(Character(scalar)).utf8)
            default: out.append(escape)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// A single pass over JSON in memory: the caller asks for what it expects, nothing is built that it does not keep.
///
/// It reads exactly RFC 8259. The pointer is confined to this file and its callers' `withUnsafe…` scopes; the reader must
/// not outlive the bytes. Own code because `JSONDecoder` takes ten times Python's time on a book.
public struct JSONReader {
    /// What the next value is.
    public enum Kind { case object, array, string, number, bool, null }

    /// Deepest nesting that is read.
    public static let depthMax = 64

    @usableFromInline let base: UnsafePointer<UInt8>
    @usableFromInline let count: Int
    /// Byte offset of the next unread byte.
    public private(set) var offset = 0
    private var depth = 0

    public init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // An empty buffer may have no address; nothing is read through this one.
        self.base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
        self.count = bytes.count
    }

    /// Reads one whole value from `bytes` and nothing after it.
    public static func read<Value>(
        _ bytes: UnsafeBufferPointer<UInt8>, _ body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        var reader = JSONReader(bytes)
        let value = try body(&reader)
        try reader.end()
        return value
    }

    // MARK: Structure

    /// Calls `member` with each key; it must read or skip the value.
    @inline(__always)
    public mutating func object(_ member: (JSONText, inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try self.open(UInt8(ascii: "{"))
        if try self.nextByte() == UInt8(ascii: "}") {
            self.close()
            return
        }
        while true {
            let key = try self.string()
            guard try self.nextByte() == UInt8(ascii: ":") else { throw JSONError(.unexpected, at: self.offset) }
            self.offset += 1
            try member(key, &self)
            let byte = try self.nextByte()
            if byte == UInt8(ascii: "}") {
                self.close()
                return
            }
            guard byte == UInt8(ascii: ",") else { throw JSONError(.unexpected, at: self.offset) }
            self.offset += 1
        }
    }

    /// Calls `element` before each element; it must read or skip it.
    @inline(__always)
    public mutating func array(_ element: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try self.open(UInt8(ascii: "["))
        if try self.nextByte() == UInt8(ascii: "]") {
            self.close()
            return
        }
        while true {
            try element(&self)
            let byte = try self.nextByte()
            if byte == UInt8(ascii: "]") {
                self.close()
                return
            }
            guard byte == UInt8(ascii: ",") else { throw JSONError(.unexpected, at: self.offset) }
            self.offset += 1
        }
    }

    /// Only white space may follow.
    public mutating func end() throws(JSONError) {
        self.skipSpace()
        guard self.offset == self.count else { throw JSONError(.trailing, at: self.offset) }
    }

    /// What comes next, by its first byte.
    public mutating func peek() throws(JSONError) -> Kind {
        switch try self.nextByte() {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        default: throw JSONError(.unexpected, at: self.offset)
        }
    }

    /// Passes over one value, checking it all the same.
    public mutating func skip() throws(JSONError) {
        switch try self.peek() {
        case .object: try self.object { (_, reader) throws(JSONError) in try reader.skip() }
        case .array: try self.array { (reader) throws(JSONError) in try reader.skip() }
        case .string: _ = try self.string()
        case .number: _ = try self.number()
        case .bool: _ = try self.bool()
        case .null: try self.null()
        }
    }

    /// Passes over one value and returns its bytes as they stand.
    public mutating func raw() throws(JSONError) -> UnsafeBufferPointer<UInt8> {
        self.skipSpace()
        let start = self.offset
        try self.skip()
        return UnsafeBufferPointer(start: self.base + start, count: self.offset - start)
    }

    // MARK: Values

    public mutating func string() throws(JSONError) -> JSONText {
        guard try self.nextByte() == UInt8(ascii: "\"") else { throw JSONError(.unexpected, at: self.offset) }
        let start = self.offset + 1
        var at = start
        var isEscaped = false
        var isASCII = true
        while true {
            // Eight bytes at a time while none is a quote, a backslash, a control character or not ASCII.
            while at + 8 <= self.count {
                let word = UnsafeRawPointer(self.base + at).loadUnaligned(as: UInt64.self)
                let ones: UInt64 = 0x0101_0101_0101_0101
                let highs: UInt64 = 0x8080_8080_8080_8080
                let quote = word ^ (ones &* 0x22)
                let slash = word ^ (ones &* 0x5C)
                let stops =
                    ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash) | ((word &- ones &* 0x20) & ~word) | word
                if stops & highs != 0 { break }
                at += 8
            }
            guard at < self.count else { throw JSONError(.endOfInput, at: self.count) }
            let byte = self.base[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                at = try self.checkEscape(at: at)
            } else if byte < 0x20 {
                throw JSONError(.badString, at: at)
            } else {
                if byte >= 0x80 { isASCII = false }
                at += 1
            }
        }
        self.offset = at + 1
        let bytes = UnsafeBufferPointer(start: self.base + start, count: at - start)
        if !isASCII && !UTF8Validation.isValid(bytes) { throw JSONError(.badUTF8, at: start) }
        return JSONText(bytes: bytes, isEscaped: isEscaped)
    }

    private func checkEscape(at position: Int) throws(JSONError) -> Int {
        guard position + 1 < self.count else { throw JSONError(.endOfInput, at: self.count) }
        switch self.base[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return position + 2
        case UInt8(ascii: "u"):
            guard position + 6 <= self.count else { throw JSONError(.endOfInput, at: self.count) }
            for digit in position + 2..<position + 6 {
                switch self.base[digit] {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    continue
                default: throw JSONError(.badString, at: digit)
                }
            }
            return position + 6
        default: throw JSONError(.badString, at: position)
        }
    }

    /// A number's text, checked against the grammar.
    public mutating func number() throws(JSONError) -> UnsafeBufferPointer<UInt8> {
        self.skipSpace()
        let start = self.offset
        var at = start
        func byte(_ position: Int) -> UInt8 { position < self.count ? self.base[position] : 0 }
        func digits(_ position: inout Int) -> Int {
            let first = position
            while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte(position)) { position += 1 }
            return position - first
        }
        if byte(at) == UInt8(ascii: "-") { at += 1 }
        if byte(at) == UInt8(ascii: "0") {
            at += 1
        } else if digits(&at) == 0 {
            throw JSONError(at < self.count ? .badNumber : .endOfInput, at: at)
        }
        if byte(at) == UInt8(ascii: ".") {
            at += 1
            guard digits(&at) > 0 else { throw JSONError(.badNumber, at: at) }
        }
        if byte(at) | 0x20 == UInt8(ascii: "e") {
            at += 1
            if byte(at) == UInt8(ascii: "+") || byte(at) == UInt8(ascii: "-") { at += 1 }
            guard digits(&at) > 0 else { throw JSONError(.badNumber, at: at) }
        }
        self.offset = at
        return UnsafeBufferPointer(start: self.base + start, count: at - start)
    }

    /// A number without fraction or exponent.
    public mutating func integer() throws(JSONError) -> Int64 {
        let text = try self.number()
        guard let value = Self.integer(text) else { throw JSONError(.outOfRange, at: self.offset) }
        return value
    }

    /// An integer in a string, as the venue writes timestamps.
    public mutating func integerInString() throws(JSONError) -> Int64 {
        let text = try self.string()
        guard let value = Self.integer(text.bytes) else { throw JSONError(.badNumber, at: self.offset) }
        return value
    }

    /// Millionths, from a decimal in a string ("0.37", ".37") or from a plain number.
    public mutating func decimal() throws(JSONError) -> Int64 {
        let bytes = try self.nextByte() == UInt8(ascii: "\"") ? try self.string().bytes : try self.number()
        guard let micros = Decimal6.parse(bytes) else { throw JSONError(.badNumber, at: self.offset) }
        return micros
    }

    public mutating func bool() throws(JSONError) -> Bool {
        if try self.nextByte() == UInt8(ascii: "t") {
            try self.literal("true")
            return true
        }
        try self.literal("false")
        return false
    }

    public mutating func null() throws(JSONError) { try self.literal("null") }

    // MARK: Bytes

    private static func integer(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        var value: Int64 = 0
        var index = 0
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < text.count, text.count - index <= 19 else { return nil }
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) =
                isNegative
                ? product.subtractingReportingOverflow(Int64(digit)) : product.addingReportingOverflow(Int64(digit))
            guard !overflow && !overflow2 else { return nil }
            value = sum
            index += 1
        }
        return value
    }

    private mutating func open(_ bracket: UInt8) throws(JSONError) {
        guard try self.nextByte() == bracket else { throw JSONError(.unexpected, at: self.offset) }
        guard self.depth < Self.depthMax else { throw JSONError(.tooDeep, at: self.offset) }
        self.offset += 1
        self.depth += 1
    }

    private mutating func close() {
        self.offset += 1
        self.depth -= 1
    }

    private mutating func skipSpace() {
        while self.offset < self.count {
            switch self.base[self.offset] {
            case 0x20, 0x09, 0x0A, 0x0D: self.offset += 1
            default: return
            }
        }
    }

    /// The next byte that is not white space, left unread.
    private mutating func nextByte() throws(JSONError) -> UInt8 {
        while self.offset < self.count {
            let byte = self.base[self.offset]
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: self.offset += 1
            default: return byte
            }
        }
        throw JSONError(.endOfInput, at: self.count)
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        self.skipSpace()
        for index in 0..<text.utf8CodeUnitCount {
            guard self.offset < self.count else { throw JSONError(.endOfInput, at: self.count) }
            guard self.base[self.offset] == text.utf8Start[index] else { throw JSONError(.unexpected, at: self.offset) }
            self.offset += 1
        }
    }
}
