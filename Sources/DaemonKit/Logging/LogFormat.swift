import CLinux
import Glibc
import Logging
import Shared

/// The form in which log lines leave a daemon.
public enum LogFormat: String, Sendable, CaseIterable {
    /// The journal when standard error leads there, else text.
    case auto
    /// Native entries of the systemd journal, with fields.
    case journal
    /// One JSON object a line on standard error.
    case json
    /// Readable lines on standard error, coloured on a terminal.
    case text

    /// What `auto` means here; the others stay what they are.
    ///
    /// - Parameter stream: `JOURNAL_STREAM`, "device:inode" of the stream that systemd connected to the journal.
    func resolved(stream: String?, standardError descriptor: Int32 = 2) -> LogFormat {
        guard self == .auto else { return self }
        var status = stat()
        guard let stream, fstat(descriptor, &status) == 0 else { return .text }
        return stream == "\(status.st_dev):\(status.st_ino)" ? .journal : .text
    }
}

extension LogRecord {
    /// Longest line on a stream: what a pipe takes whole or not at all, so lines never mix.
    static let lineByteCountMax = 4_096

    // MARK: Text

    /// `2026-11-24T17:19:22.123Z warning feedd: Books went stale silence_ms=15000 tokens=3`
    func text(colored: Bool) -> [UInt8] {
        var line = Self.clock(self.time)
        let name = self.level == .critical ? "CRITICAL" : self.level.rawValue
        line += colored ? " \u{1B}[\(self.color)m\(name)\u{1B}[0m" : " \(name)"
        line += " \(self.program): \(self.sentenceAndFacts)"
        // Room for the line's end.
        return Array(Self.bounded(line, to: Self.lineByteCountMax - 4).utf8) + [UInt8(ascii: "\n")]
    }

    /// `Books went stale silence_ms=15000 tokens=3`
    private var sentenceAndFacts: String {
        var line = Self.visible(self.message)
        for (name, value) in self.facts {
            let shown = Self.visible(value)
            let needsQuotes =
                shown.isEmpty || shown.utf8.contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") }
            line += " \(Self.visible(name))=" + (needsQuotes ? "\"\(shown)\"" : shown)
        }
        return line
    }

    private var color: String {
        switch self.level {
        case .trace, .debug: "2"
        case .info: "32"
        case .notice: "36"
        case .warning: "33"
        case .error: "31"
        case .critical: "1;31"
        }
    }

    /// Without control characters: a line from outside can neither end a line of ours nor move a cursor.
    private static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: Self.isControl) else { return text }
        var visible = ""
        for scalar in text.unicodeScalars {
            if Self.isControl(scalar) {
                visible += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                visible.unicodeScalars.append(scalar)
            }
        }
        return visible
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    /// RFC 3339 with milliseconds, UTC.
    private static func clock(_ time: Timestamp) -> String {
        var seconds = time_t(time.microseconds / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let clock = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(padded(time.microseconds / 1_000 % 1_000, 3))Z"
    }

    // MARK: JSON

    /// One object and a line end. Facts are left out, and counted, where the line would become too long.
    func json() -> [UInt8] {
        var kept = self.facts.count
        while true {
            var writer = JSONWriter(capacity: 512)
            self.write(to: &writer, factCount: kept)
            if writer.bytes.count < Self.lineByteCountMax || kept == 0 {
                return writer.bytes.prefix(Self.lineByteCountMax - 1) + [UInt8(ascii: "\n")]
            }
            kept -= 1
        }
    }

    private func write(to writer: inout JSONWriter, factCount: Int) {
        writer.object { writer in
            writer.key("logged_time")
            writer.integer(self.time.microseconds)
            writer.key("level")
            writer.string(self.level.rawValue)
            writer.key("daemon")
            writer.string(self.program)
            writer.key("message")
            writer.string(self.message)
            if let entry = EventCatalogue.entry(for: self.message) {
                writer.key("event")
                writer.string(entry.name)
            }
            writer.key("facts")
            writer.object { writer in
                for (name, value) in self.facts.prefix(factCount) {
                    writer.key(dynamic: name)
                    writer.string(value)
                }
            }
            if factCount < self.facts.count {
                writer.key("facts_dropped")
                writer.integer(self.facts.count - factCount)
            }
            writer.key("function")
            writer.string(Self.bounded(self.function, to: 200))
        }
    }

    // MARK: The journal

    /// A datagram in the journal's native protocol: `NAME=value`, or name, length and bytes for values with line ends.
    ///
    /// Source: <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.
    func journalEntry() -> [UInt8] {
        var bytes: [UInt8] = []
        func field(_ name: String, _ value: String) {
            bytes.append(contentsOf: name.utf8)
            if value.utf8.contains(UInt8(ascii: "\n")) {
                bytes.append(UInt8(ascii: "\n"))
                withUnsafeBytes(of: UInt64(value.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes.append(contentsOf: value.utf8)
            bytes.append(UInt8(ascii: "\n"))
        }
        // With the facts, for who reads `journalctl -u` as it comes; POLYBOT_EVENT is what finds the sentence.
        field("MESSAGE", Self.bounded(self.sentenceAndFacts))
        field("PRIORITY", "\(self.priority)")
        field("SYSLOG_IDENTIFIER", self.program)
        field("CODE_FILE", Self.bounded(self.file))
        field("CODE_LINE", "\(self.line)")
        field("CODE_FUNC", Self.bounded(self.function))
        if let entry = EventCatalogue.entry(for: self.message) {
            field("POLYBOT_EVENT", entry.name)
            if let id = entry.id { field("MESSAGE_ID", id) }
        }
        for (name, value) in self.facts { field(Self.fieldName(name), value) }
        return bytes
    }

    private var priority: Int { Self.priority(of: self.level) }

    /// syslog's severities.
    static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// "market" is POLYBOT_MARKET: capitals, digits and "_" only, 64 bytes at most, or the journal drops the field.
    static func fieldName(_ name: String) -> String {
        let letters = name.uppercased().unicodeScalars.map { scalar -> Character in
            let isAllowed = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            return isAllowed ? Character(scalar) : "_"
        }
        return String(("POLYBOT_" + String(letters)).prefix(64))
    }
}
