import DaemonKit
import Shared

/// The ledger's journal in the state directory: read once at the start, then appended to.
final class LedgerFile {
    private let journal: JournalWriter
    private var writer = JSONWriter()
    private var lines: [UInt8] = []

    /// Takes the journal for this process alone. A full or read-only disk is no error before something is written.
    ///
    /// - Throws: code 77 when another process has it, or it cannot be read; 75 when the system has no thread or descriptor.
    init(directory: String, _ mode: TradingMode) throws(DaemonExit) {
        do {
            self.journal = try JournalWriter(directory: directory, name: Self.name(mode))
        } catch { throw error.exit }
    }

    /// Money that is real has files of its own.
    static func name(_ mode: TradingMode) -> String {
        switch mode {
        case .paper: "ledger"
        case .live: "ledger-live"
        }
    }

    /// When the last record was made; `nil` before the first.
    private(set) var lastTime: Timestamp?

    var tornTail: JournalWriter.TornTail? { self.journal.tornTail }

    /// The ledger that the journal tells of; `nil` when there is none yet.
    ///
    /// - Throws: code 77 when a line cannot be believed: a person must look before anything is traded.
    func read() throws(DaemonExit) -> OrderLedger? {
        guard let path = self.journal.path else { return nil }
        var ledger: OrderLedger?
        var place = 0
        do {
            try JournalReader.forEachLine(of: path, fromLastStartingWith: LedgerRecord.checkpointPrefix) {
                line, offset in
                place = offset
                let record = try LedgerRecord(line: line)
                self.lastTime = record.time
                if case .checkpoint(let whole) = record.fact {
                    ledger = whole
                } else {
                    try ledger?.apply(record)
                }
            }
        } catch {
            throw DaemonExit(
                .refused,
                "The ledger \(path) cannot be believed at byte \(place): \(error). Look at it, and move it aside to begin anew."
            )
        }
        guard let ledger else {
            throw DaemonExit(
                .refused,
                "The ledger \(path) does not begin with a checkpoint. Look at it, and move it aside to begin anew.")
        }
        return ledger
    }

    /// Whether a file is still to be begun for `time`'s day.
    func needsFile(for time: Timestamp) -> Bool { self.journal.needsFile(for: time) }

    /// Begins the day's file.
    func beginFile(with checkpoint: LedgerRecord) throws(JournalError) {
        try self.journal.beginFile(at: checkpoint.time, head: checkpoint.line)
    }

    /// Appends the records among `actions` with one write.
    func append(_ actions: [EngineAction]) throws(JournalError) {
        self.lines.removeAll(keepingCapacity: true)
        for case .record(let record) in actions { record.writeLine(to: &self.lines, writer: &self.writer) }
        try self.journal.append(self.lines)
    }

    /// - Throws: once, when the disk lost what it had taken: a checkpoint must follow.
    func checkDisk() throws(JournalError) { try self.journal.append([]) }

    /// Whether the disk takes what was appended, in time.
    func isAdvancing(now: Instant) -> Bool { self.journal.isAdvancing(now: now) }
    func wedgeForDrill() { self.journal.wedgeForDrill() }

    /// - Returns: false when the last records may not be on the disk.
    func close() -> Bool { self.journal.close() }
}
