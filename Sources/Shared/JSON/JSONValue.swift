/// A whole JSON value in memory, for what is read rarely and leniently (discovery, answers, operators' commands).
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's text: nothing is lost before somebody decides what it is.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Parses one whole text.
    public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        let parse = { (buffer: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONError> in
            Result { () throws(JSONError) in
                try JSONReader.read(buffer) { (reader) throws(JSONError) in try JSONValue(reading: &reader) }
            }
        }
        self = try (bytes.withContiguousStorageIfAvailable(parse) ?? Array(bytes).withUnsafeBufferPointer(parse)).get()
    }

    /// Reads the next value.
    public init(reading reader: inout JSONReader) throws(JSONError) {
        switch try reader.peek() {
        case .null:
            try reader.null()
            self = .null
        case .bool: self = .bool(try reader.bool())
        case .number: self = .number(String(decoding: try reader.number(), as: UTF8.self))
        case .string: self = .string(try reader.string().string)
        case .array:
            var elements: [JSONValue] = []
            try reader.array { (reader) throws(JSONError) in elements.append(try JSONValue(reading: &reader)) }
            self = .array(elements)
        case .object:
            var members: [String: JSONValue] = [:]
            try reader.object { (key, reader) throws(JSONError) in
                members[key.string] = try JSONValue(reading: &reader)
            }
            self = .object(members)
        }
    }

    /// The member of an object; `nil` when absent, null, or when this is no object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }

    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    public var object: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }

    /// A whole number, written as a number or in a string.
    public var integer: Int64? {
        switch self {
        case .number(let text), .string(let text): Int64(text)
        default: nil
        }
    }

    /// Exact millionths, from a number or from text; `nil` when it has more than six places, a sign or an exponent.
    public var micros: Int64? {
        switch self {
        case .number(let text), .string(let text): Decimal6.parse(text)
        default: nil
        }
    }

    /// For statistics and rankings; never for amounts.
    public var double: Double? {
        switch self {
        case .number(let text), .string(let text): Double(text)
        default: nil
        }
    }

    /// Appends it, with the members of objects in the order of their names.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let text): writer.raw(text.utf8)
        case .string(let text): writer.string(text)
        case .array(let elements): writer.array { for element in elements { element.write(to: &$0) } }
        case .object(let members):
            writer.object {
                for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                    $0.key(dynamic: key)
                    value.write(to: &$0)
                }
            }
        }
    }
}
