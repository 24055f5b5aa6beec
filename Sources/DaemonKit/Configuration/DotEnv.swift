/// A `.env` file: lines of `NAME=value`, as the Python predecessor kept them.
///
///     # a comment
///     export DRY_RUN=true
///     POLYBOT_RISK_MAX_ORDER_USD=10      # quotes keep what is inside as it is: 'a # b', "a b"
enum DotEnv {
    /// Largest file.
    static let byteCountMax = 1 << 20

    /// - Parameters:
    ///   - name: the file, for errors, which never repeat what a line says: it may be a secret.
    ///   - keepsSecrets: whether the variables that hold one are wanted; otherwise they are checked and dropped.
    static func parse(
        _ text: String, name: String, keepsSecrets: Bool = false
    ) throws(ConfigurationError) -> [String: String] {
        var values: [String: String] = [:]
        var problems: [ConfigurationError.Problem] = []
        for (index, line) in text.splitIntoLines().enumerated() {
            var rest = line.trimmed
            if rest.isEmpty || rest.hasPrefix("#") { continue }
            if rest.hasPrefix("export ") { rest = rest.dropFirst("export ".count).trimmed }
            guard let equals = rest.firstIndex(of: "=") else {
                problems.append(
                    .init(source: name, line: index + 1, "found a line without \"=\", allowed is NAME=value"))
                continue
            }
            let key = rest[..<equals].trimmed
            guard Self.isName(key) else {
                problems.append(
                    .init(source: name, line: index + 1, "found a name that is not made of letters, digits and \"_\""))
                continue
            }
            guard let value = Self.value(rest[rest.index(after: equals)...].trimmed) else {
                problems.append(
                    .init(source: name, line: index + 1, key: key, "found a quote that does not end on its line"))
                continue
            }
            if keepsSecrets || !ProcessEnvironment.secretNames.contains(key) { values[key] = value }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return values
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.first, !first.isNumber else { return false }
        return name.allSatisfy { $0.isASCII && ($0 == "_" || $0.isLetter || $0.isNumber) }
    }

    /// `nil` when a quote is not closed.
    private static func value(_ text: String) -> String? {
        guard let quote = text.first, quote == "\"" || quote == "'" else {
            // A "#" begins a comment where a space stands before it, and belongs to the value otherwise.
            var previous: Character = " "
            var plain = ""
            for character in text {
                if character == "#" && (previous == " " || previous == "\t") { break }
                plain.append(character)
                previous = character
            }
            return plain.trimmed
        }
        let inside = text.dropFirst()
        guard let end = inside.firstIndex(of: quote) else { return nil }
        let after = inside[inside.index(after: end)...].trimmed
        return after.isEmpty || after.hasPrefix("#") ? String(inside[..<end]) : nil
    }
}
