public import Shared

/// Credentials for the venue's interfaces as they stand in a secret file: a JSON object with three texts.
public enum APICredentials {
    /// Lends the members `apiKey`, `secret` and `passphrase`, each once, as they stand in `text`. Read in place: no copy is made.
    ///
    /// - Returns: false when one is missing or empty; what was lent is of no use then.
    public static func read(
        _ text: UnsafeBufferPointer<UInt8>, _ take: (StaticString, JSONText) -> Void = { _, _ in }
    ) -> Bool {
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
                if !value.bytes.isEmpty, found.insert("\(name)").inserted { take(name, value) }
            }
        }
        return isRead != nil && found.count == 3
    }
}
