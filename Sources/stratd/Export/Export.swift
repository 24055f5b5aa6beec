import DaemonKit
import Shared

/// `stratd export`: the ledger's journal as rows for a spreadsheet. It reads and takes no lock, so that a stratd may trade meanwhile.
struct Export {
    let subject: AccountHistory.Subject
    /// Days since 1970, UTC; `nil` from the first, or to the last.
    let from: Int64?
    let to: Int64?
    let directory: String
    /// Whose files: paper and real money have their own.
    let mode: TradingMode
    /// What a person should know beside the rows.
    let caution: (String) -> Void

    init(
        subject: AccountHistory.Subject, from: Int64?, to: Int64?, directory: String, mode: TradingMode = .paper,
        caution: @escaping (String) -> Void
    ) {
        self.subject = subject
        self.from = from
        self.to = to
        self.directory = directory
        self.mode = mode
        self.caution = caution
    }

    /// - Throws: code 64 when the days make no sense.
    init(_ context: DaemonCommand.Context) throws(DaemonExit) {
        guard let subject = AccountHistory.Subject(rawValue: context.operand) else {
            preconditionFailure("the command line lets no other word through")
        }
        self.subject = subject
        self.from = try Self.day(context.flags, Self.fromFlag)
        self.to = try Self.day(context.flags, Self.toFlag)
        self.directory = context.stateDirectory
        if let word = context.flags[Self.modeFlag] {
            guard let mode = TradingMode(rawValue: word) else {
                throw DaemonExit(.usage, "\(Self.modeFlag) is one of paper, live.")
            }
            self.mode = mode
        } else {
            self.mode = context.configuration.trading.mode == .live ? .live : .paper
        }
        self.caution = context.warn
        if let from = self.from, let to = self.to, from > to {
            throw DaemonExit(.usage, "\(Self.fromFlag) must not be after \(Self.toFlag).")
        }
    }

    private static func day(_ flags: [String: String], _ flag: String) throws(DaemonExit) -> Int64? {
        guard let text = flags[flag] else { return nil }
        guard text.utf8.count == 10, let time = Timestamp(rfc3339: "\(text)T00:00:00Z") else {
            throw DaemonExit(.usage, "\(flag) needs a day such as 2026-05-12.")
        }
        return Moment.day(of: time)
    }

    /// Reads the journal.
    ///
    /// - Throws: code 69 when there is none, 77 when it cannot be read or believed.
    func history() throws(DaemonExit) -> AccountHistory {
        let files: [JournalReader.DailyFile]
        do throws(JournalError) {
            files = try JournalReader.dailyFiles(in: self.directory, of: LedgerFile.name(self.mode))
        } catch { throw error.exit }
        guard let first = files.first else {
            throw DaemonExit(
                .unreachable,
                "There is no ledger of \(self.mode.rawValue) trading in \(self.directory): name stratd's directory with --state-dir."
            )
        }
        var history = AccountHistory(self.subject, days: (self.from ?? .min)...(self.to ?? .max))
        let wanted = self.wanted(files)
        for file in wanted { try self.read(file, into: &history) }
        if wanted.first == first && !history.isOpeningKnown && (self.from ?? .min) <= first.day {
            self.caution(
                "The ledger's files begin on \(AccountHistory.text(day: first.day)) with an account that had traded: what was before is in no row."
            )
        }
        for day in history.gapDays where day >= self.from ?? .min && day <= self.to ?? .max {
            self.caution(
                "Records before a checkpoint of \(AccountHistory.text(day: day)) are missing: fills among them are in no row, and what they brought counts on that day."
            )
        }
        return history
    }

    /// The files that can hold anything of the period.
    ///
    /// Each begins with the whole ledger, so that all before the period may be left out, but for one day: a file is written to a
    /// little longer than its day. What the venue tells late is in later files, but changes no position of the days before.
    private func wanted(_ files: [JournalReader.DailyFile]) -> [JournalReader.DailyFile] {
        let last = self.subject == .positions ? self.to ?? .max : .max
        let first = files.last { $0.day < self.from ?? .min }?.day ?? .min
        return files.filter { $0.day >= first && $0.day <= last }
    }

    private func read(_ file: JournalReader.DailyFile, into history: inout AccountHistory) throws(DaemonExit) {
        var place = 0
        do {
            try JournalReader.forEachLine(ofGrowing: file.path) { line, offset in
                place = offset
                try history.apply(LedgerRecord(line: line))
            }
        } catch let error as JournalError { throw error.exit } catch let problem as AccountHistory.Problem {
            throw DaemonExit(.refused, "The ledger \(file.path) cannot be exported: \(problem).")
        } catch {
            throw DaemonExit(
                .refused,
                "The ledger \(file.path) cannot be believed at byte \(place): \(error). Look at it, or export days after it with --from."
            )
        }
    }

    static let fromFlag = "--from"
    static let toFlag = "--to"
    static let modeFlag = "--mode"

    /// What the command is.
    static let command = DaemonCommand(
        "export", "writes fills, positions or results from the ledger's journal, also while stratd runs",
        operands: AccountHistory.Subject.allCases.map(\.rawValue),
        ownFlags: [
            ProgramFlag("--csv", "as comma-separated values, which is the form without this flag too"),
            ProgramFlag(fromFlag, value: "DAY", "from this day on, 2026-05-12, UTC (else from the first)"),
            ProgramFlag(toFlag, value: "DAY", "up to the end of this day (else up to now)"),
            ProgramFlag(
                modeFlag, value: "MODE", "of paper or of live trading (else as trading.mode says)",
                completion: .words(["paper", "live"])),
        ], isReader: true
    ) { (context) async throws(DaemonExit) in
        try Export(context).history().write { (bytes) throws(DaemonExit) in try context.write(bytes) }
    }
}
