import Logging
import Shared

/// One log line before it takes a form: a constant sentence and the facts beside it.
struct LogRecord: Sendable {
    /// When it was logged, our clock.
    var time: Timestamp
    var level: Logger.Level
    /// The daemon's name.
    var program: String
    var message: String
    /// Sorted by name; secrets are gone already.
    var facts: [(name: String, value: String)]
    var file: String
    var function: String
    var line: UInt

    /// Longest sentence and longest fact, in bytes.
    static let textByteCountMax = 1_024
    /// Most facts of one line.
    static let factCountMax = 32
    /// Names of facts that are never written, whatever stands in them.
    static let secretNames: Set<String> = [
        "private_key", "secret", "passphrase", "password", "api_key", "api_secret", "api_credentials", "authorization",
        "cookie", "proxy",
    ]

    /// Takes a swift-log event; `context` is what the logger carries with it.
    init(_ event: LogEvent, context: Logger.Metadata, program: String, time: Timestamp) {
        self.time = time
        self.level = event.level
        self.program = program
        self.message = Self.bounded(event.message.description)
        var metadata = context
        if let own = event.metadata { metadata.merge(own) { $1 } }
        if let error = event.error { metadata["error"] = metadata["error"] ?? "\(error)" }
        self.facts = metadata.sorted { $0.key < $1.key }.prefix(Self.factCountMax).map { name, value in
            let isSecret = Self.secretNames.contains(name.lowercased())
            return (name, isSecret ? "(not shown)" : Self.bounded(value.description))
        }
        self.file = event.file
        self.function = event.function
        self.line = event.line
    }

    /// `text`, cut at a whole character.
    static func bounded(_ text: String, to byteCountMax: Int = Self.textByteCountMax) -> String {
        guard text.utf8.count > byteCountMax else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: byteCountMax)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "…"
    }
}
