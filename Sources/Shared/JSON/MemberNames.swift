/// Names of members that are kept of objects, at any depth; all others are passed over unread. Of a listing of tens of
/// thousands of markets most is never looked at.
public struct MemberNames: Sendable {
    /// By their length.
    private var names: [[StaticString]] = []
    /// Members whose insides have names of their own.
    private let inside: [(name: StaticString, names: MemberNames)]

    public init(_ names: [StaticString], inside: [(name: StaticString, names: MemberNames)] = []) {
        self.inside = inside
        for name in names + inside.map(\.name) {
            while self.names.count <= name.utf8CodeUnitCount { self.names.append([]) }
            self.names[name.utf8CodeUnitCount].append(name)
        }
    }

    func contains(_ text: JSONText) -> Bool {
        text.bytes.count < self.names.count && self.names[text.bytes.count].contains { text == $0 }
    }

    /// Which names count within the member `text`.
    func within(_ text: JSONText) -> MemberNames { self.inside.first { text == $0.name }?.names ?? self }
}

extension JSONValue {
    /// Parses one whole text; of objects only the members called `names` are kept. All of it is checked.
    public init(parsing bytes: [UInt8], keeping names: MemberNames) throws(JSONError) {
        let parse = { (buffer: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONError> in
            Result { () throws(JSONError) in
                try JSONReader.read(buffer) { (reader) throws(JSONError) in
                    try JSONValue(reading: &reader, keeping: names)
                }
            }
        }
        self = try bytes.withUnsafeBufferPointer(parse).get()
    }

    private init(reading reader: inout JSONReader, keeping names: MemberNames) throws(JSONError) {
        switch try reader.peek() {
        case .array:
            var elements: [JSONValue] = []
            try reader.array { (reader) throws(JSONError) in
                elements.append(try JSONValue(reading: &reader, keeping: names))
            }
            self = .array(elements)
        case .object:
            var members: [String: JSONValue] = [:]
            try reader.object { (key, reader) throws(JSONError) in
                guard names.contains(key) else { return try reader.skip() }
                members[key.string] = try JSONValue(reading: &reader, keeping: names.within(key))
            }
            self = .object(members)
        case .null, .bool, .number, .string: self = try JSONValue(reading: &reader)
        }
    }
}
