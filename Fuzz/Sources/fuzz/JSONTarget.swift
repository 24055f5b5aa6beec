import Shared

/// What is read and written again is equal; skipping accepts exactly what reading accepts.
enum JSONTarget {
    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        let value = try? JSONValue(parsing: input)
        let isSkipped = (try? JSONReader.read(input) { (reader) throws(JSONError) in try reader.skip() }) != nil
        check(isSkipped == (value != nil), "skip() and reading differ")
        guard let value else { return }
        check(String(validating: input, as: UTF8.self) != nil, "text that is not UTF-8 was read")
        let written = self.written(value)
        guard let again = try? JSONValue(parsing: written) else { fatalError("what was written cannot be read") }
        check(again == value, "what was written is read as something else")
        check(self.written(again) == written, "what is equal is written differently")
        self.checkNumbers(in: value)
    }

    static func written(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        value.write(to: &writer)
        return writer.bytes
    }

    /// A number that fits is exact, one that does not is refused.
    private static func checkNumbers(in value: JSONValue) {
        switch value {
        case .number(let text):
            check(Double(text) != nil, "\(text) was read as a number")
            if let integer = value.integer, !text.hasPrefix("-0") {
                check("\(integer)" == text, "\(text) became \(integer)")
            }
        case .array(let elements): for element in elements { Self.checkNumbers(in: element) }
        case .object(let members): for member in members.values { Self.checkNumbers(in: member) }
        case .null, .bool, .string: return
        }
    }
}
