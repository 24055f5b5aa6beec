import ArgumentParser
import DaemonKit
import Glibc

/// The operator's command. It holds no keys and can do nothing that a daemon's socket does not offer.
@main
struct Polybot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "polybot",
        abstract: "Runs polybot's daemons and shows what they do.",
        discussion: """
            Exit codes: 0 all went well, 1 it did not, 64 wrong usage, 69 what must be reached is not there, \
            70 a bug, 77 refused, 78 wrong configuration.
            """,
        version: polybotVersion,
        subcommands: [
            RunCommand.self, StatusCommand.self, TapCommand.self, ScanMarketsCommand.self, TestWebSocketCommand.self,
            HaltCommand.self, ResumeCommand.self, PauseCommand.self, UnpauseCommand.self, FlattenCommand.self,
            SetLimitCommand.self, ExplainCommand.self, CancelAllCommand.self, DoctorCommand.self,
            ExportCommand.self, DrillCommand.self, GenerateCommand.self,
        ])

    static func main() {
        StandardStreams.prepare()
        do {
            var command = try Self.parseAsRoot()
            try command.run()
        } catch let failure as DaemonExit {
            StandardStreams.write("polybot: \(failure.message)\n", to: 2)
            Glibc.exit(failure.code.rawValue)
        } catch {
            Self.exit(withError: error)
        }
    }
}
