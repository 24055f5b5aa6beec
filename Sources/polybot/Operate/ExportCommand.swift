import ArgumentParser
import DaemonKit

/// `polybot export`: `stratd export`, for only stratd's program reads its state.
struct ExportCommand: ParsableCommand {
    enum Subject: String, CaseIterable, ExpressibleByArgument { case fills, positions, pnl }

    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes fills, positions or results from the ledger's journal as CSV. Needs no daemon.",
        discussion: """
            Times and days are UTC, amounts exact decimals of shares and pUSD. A stratd may trade meanwhile. \
            The directory is found as stratd finds it; that of the system's unit is its user's: \
            sudo -u polybot-stratd polybot export fills --state-dir /var/lib/polybot/stratd.
            """)

    @Argument(help: "What is written: fills, positions or pnl.")
    var subject: Subject
    @Flag(name: .customLong("csv"), help: "As comma-separated values, which is the form without this flag too.")
    var isCSV = false
    @Option(help: "From this day on, 2026-05-12, UTC; without it from the first.")
    var from: String?
    @Option(help: "Up to the end of this day; without it up to now.")
    var to: String?
    @Option(help: "Of paper or of live trading; without it as trading.mode says.")
    var mode: String?
    @Option(name: .customLong("config"), help: "The configuration file; without it as the daemons look for one.")
    var configurationPath: String?
    @Option(help: "Directory of what stratd keeps.")
    var stateDir: String?

    func run() throws {
        var words = ["export", self.subject.rawValue]
        if self.isCSV { words.append("--csv") }
        for (flag, value) in [
            ("--from", self.from), ("--to", self.to), ("--mode", self.mode), ("--config", self.configurationPath),
            ("--state-dir", self.stateDir),
        ] {
            if let value { words += [flag, value] }
        }
        try Executables.becomeStratd(words)
    }
}
