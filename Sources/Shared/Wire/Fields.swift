/// The members of a body that is read rarely, each demanded by name and kind.
public struct Fields {
    private let members: [String: JSONValue]
    private let offset: Int

    public init(reading reader: inout JSONReader) throws(JSONError) {
        let offset = reader.offset
        guard case .object(let members) = try JSONValue(reading: &reader) else {
            throw JSONError(.unexpected, at: offset)
        }
        self.members = members
        self.offset = offset
    }

    public init(_ value: JSONValue) throws(JSONError) {
        guard case .object(let members) = value else { throw JSONError(.unexpected, at: 0) }
        self.members = members
        self.offset = 0
    }

    private func need<Value>(_ key: String, _ value: Value?) throws(JSONError) -> Value {
        guard let value else {
            throw JSONError(self.members[key] == nil ? .missing : .wrongValue, at: self.offset, member: key)
        }
        return value
    }

    public subscript(key: String) -> JSONValue? {
        guard let value = self.members[key], value != .null else { return nil }
        return value
    }

    public func value(_ key: String) throws(JSONError) -> JSONValue { try self.need(key, self[key]) }
    public func string(_ key: String) throws(JSONError) -> String { try self.need(key, self[key]?.string) }
    public func bool(_ key: String) throws(JSONError) -> Bool { try self.need(key, self[key]?.bool) }
    public func object(_ key: String) throws(JSONError) -> [String: JSONValue] { try self.need(key, self[key]?.object) }
    public func array(_ key: String) throws(JSONError) -> [JSONValue] { try self.need(key, self[key]?.array) }
    public func integer(_ key: String) throws(JSONError) -> Int64 {
        guard case .number(let text)? = self.members[key] else { return try self.need(key, nil) }
        return try self.need(key, Int64(text))
    }
    public func optionalInteger(_ key: String) throws(JSONError) -> Int64? {
        self[key] == nil ? nil : try self.integer(key)
    }
    public func optionalString(_ key: String) throws(JSONError) -> String? {
        self[key] == nil ? nil : try self.string(key)
    }
    public func time(_ key: String) throws(JSONError) -> Timestamp {
        try self.need(key, Timestamp(wire: try self.integer(key)))
    }
    public func price(_ key: String) throws(JSONError) -> Price {
        try self.need(key, Price(micros: try self.integer(key)))
    }
    public func quantity(_ key: String) throws(JSONError) -> Quantity { Quantity(micros: try self.integer(key)) }
    public func money(_ key: String) throws(JSONError) -> Money { Money(micros: try self.integer(key)) }
    public func token(_ key: String) throws(JSONError) -> TokenID { try self.need(key, TokenID(try self.string(key))) }
    public func condition(_ key: String) throws(JSONError) -> ConditionID {
        try self.need(key, ConditionID(try self.string(key)))
    }

    /// A word of a closed list.
    public func word<Word: RawRepresentable>(_ key: String, _: Word.Type = Word.self) throws(JSONError) -> Word
    where Word.RawValue == String {
        try self.need(key, Word(rawValue: try self.string(key)))
    }

    /// A map of counters.
    public func counters(_ key: String) throws(JSONError) -> [String: Int64] {
        var counters: [String: Int64] = [:]
        for (name, value) in try self.need(key, self[key]?.object) {
            counters[name] = try self.need(key, value.plainInteger)
        }
        return counters
    }

    /// A list of texts.
    public func strings(_ key: String) throws(JSONError) -> [String] {
        var strings: [String] = []
        for value in try self.array(key) { strings.append(try self.need(key, value.string)) }
        return strings
    }
}

extension JSONValue {
    /// A whole number that is written as a number.
    public var plainInteger: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
}

extension Timestamp {
    /// Microseconds since 1970 as frames hold them; `nil` before that and after the year 9999, where sums would overflow.
    init?(wire microseconds: Int64) {
        guard microseconds >= 0 && microseconds <= 253_402_300_799_999_999 else { return nil }
        self.init(microseconds: microseconds)
    }
}

extension JSONWriter {
    mutating func string(_ key: StaticString, _ value: String) {
        self.key(key)
        self.string(value)
    }
    mutating func integer(_ key: StaticString, _ value: Int64) {
        self.key(key)
        self.integer(value)
    }
    mutating func bool(_ key: StaticString, _ value: Bool) {
        self.key(key)
        self.bool(value)
    }
    mutating func time(_ key: StaticString, _ value: Timestamp) { self.integer(key, value.microseconds) }
    mutating func counters(_ key: StaticString, _ counters: [String: Int64]) {
        self.key(key)
        self.object {
            for (name, value) in counters.sorted(by: { $0.key < $1.key }) {
                $0.key(dynamic: name)
                $0.integer(value)
            }
        }
    }
}
