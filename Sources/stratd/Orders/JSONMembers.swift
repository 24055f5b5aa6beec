import Shared

extension JSONWriter {
    mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        self.string(value)
    }
    mutating func member(_ key: StaticString, _ value: Int64) {
        self.key(key)
        self.integer(value)
    }
    mutating func member(_ key: StaticString, _ value: Bool) {
        self.key(key)
        self.bool(value)
    }
    mutating func member(_ key: StaticString, _ values: [String]) {
        self.key(key)
        self.array { for value in values { $0.string(value) } }
    }
}

extension JSONReader {
    /// An array of exactly so many whole numbers.
    mutating func integers(_ count: Int) throws(JSONError) -> [Int64] {
        var values: [Int64] = []
        try self.array { (reader) throws(JSONError) in values.append(try reader.integer()) }
        guard values.count == count else { throw JSONError(.wrongValue, at: self.offset) }
        return values
    }

    /// An array of strings.
    mutating func strings() throws(JSONError) -> [String] {
        var values: [String] = []
        try self.array { (reader) throws(JSONError) in values.append(try reader.string().string) }
        return values
    }

    /// A word of a closed list.
    mutating func word<Word: RawRepresentable>(_ key: String) throws(JSONError) -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: try self.string().string) else {
            throw JSONError(.wrongValue, at: self.offset, member: key)
        }
        return word
    }

    mutating func condition() throws(JSONError) -> ConditionID {
        guard let condition = ConditionID(try self.string().string) else {
            throw JSONError(.wrongValue, at: self.offset, member: "market")
        }
        return condition
    }

    mutating func token() throws(JSONError) -> TokenID {
        guard let token = TokenID(try self.string().string) else {
            throw JSONError(.wrongValue, at: self.offset, member: "token")
        }
        return token
    }

    /// Demands what a single pass over an object has collected.
    func need<Value>(_ value: Value?, _ key: String) throws(JSONError) -> Value {
        guard let value else { throw JSONError(.missing, at: self.offset, member: key) }
        return value
    }
}
