import Glibc
public import Logging
import Shared

/// The backend of swift-log in all our programs: one line, one form, one output, no waiting.
public struct DaemonLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level

    private let program: String
    private let format: LogFormat
    private let output: LogOutput
    private let isColored: Bool

    /// Logs as `format` says; `auto` is settled here. Without a journal to send to, `journal` becomes `text`.
    ///
    /// - Parameters:
    ///   - program: the daemon's name.
    ///   - environment: for `JOURNAL_STREAM` and `NO_COLOR`.
    public init(program: String, format: LogFormat, level: Logger.Level, environment: [String: String]) {
        let resolved = format.resolved(stream: environment["JOURNAL_STREAM"])
        let journal = resolved == .journal ? LogOutput() : nil
        self.init(
            program: program, format: journal == nil && resolved == .journal ? .text : resolved, level: level,
            output: journal ?? LogOutput(stream: 2), isColored: isatty(2) == 1 && environment["NO_COLOR"] == nil)
    }

    init(program: String, format: LogFormat, level: Logger.Level, output: LogOutput, isColored: Bool = false) {
        self.program = program
        self.format = format
        self.logLevel = level
        self.output = output
        self.isColored = isColored
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var context = self.metadata
        if let provider = self.metadataProvider { context.merge(provider.get()) { $1 } }
        let record = LogRecord(event, context: context, program: self.program, time: .now())
        let lost = self.output.write(self.bytes(of: record))
        guard lost > 0 else { return }
        var notice = record
        notice.level = .warning
        notice.message = "Log lines were lost because nobody took them"
        notice.facts = [("lines", "\(lost)")]
        _ = self.output.write(self.bytes(of: notice))
    }

    private func bytes(of record: LogRecord) -> [UInt8] {
        switch self.format {
        case .journal: record.journalEntry()
        case .json: record.json()
        case .text, .auto: record.text(colored: self.isColored)
        }
    }
}
