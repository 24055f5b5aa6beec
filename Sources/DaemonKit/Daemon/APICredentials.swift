public import Shared

/// Credentials for the venue's interfaces as they stand in a secret file: a JSON object with three texts.
public enum APICredentials {
    /// Writes the members `apiKey`, `secret` and `passphrase` as they stand in `text`.
    ///
    /// - Returns: false when one is missing or empty; what was written is of no use then.
    public static func copy(_ text: UnsafeBufferPointer<UInt8>, to writer: inout JSONWriter) -> Bool {
        var found: Set<String> = []
        let isRead: Void? = try? JSONReader.read(text) { (reader) throws(JSONError) in
            try reader.object { (key, reader) throws(JSONError) in
                let name: StaticString
                switch key {
                case "apiKey": name = "apiKey"
                case "secret": name = "secret"
                case "passphrase": name = "passphrase"
                default: return try reader.skip()
                }
                let value = try reader.string()
                guard !value.bytes.isEmpty, found.insert("\(name)").inserted else { return }
                writer.key(name)
                writer.string(value.string)
            }
        }
        return isRead != nil && found.count == 3
    }

    /// Whether all three are there. Read in place: no copy of the texts is made.
    public static func areComplete(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var found: Set<String> = []
        let isRead: Void? = try? JSONReader.read(text) { (reader) throws(JSONError) in
            try reader.object { (key, reader) throws(JSONError) in
                guard key == "apiKey" || key == "secret" || key == "passphrase" else { return try reader.skip() }
                if try !reader.string().bytes.isEmpty { found.insert(key.string) }
            }
        }
        return isRead != nil && found.count == 3
    }
}
