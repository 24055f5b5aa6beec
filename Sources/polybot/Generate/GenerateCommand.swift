import ArgumentParser
import DaemonKit

/// `polybot generate`: texts that an installation needs. Each is made of the table that the program itself uses.
struct GenerateCommand: ParsableCommand {
    enum Text: String, ExpressibleByArgument, CaseIterable {
        case man, bash, zsh, fish, config
        case configMan = "config-man"
        case catalog
    }

    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Prints a text that an installation needs.",
        discussion: """
            man, bash, zsh and fish are polybot's own; daemons and simvenue print theirs with --generate. config is a \
            polybot.toml with every key at its default, config-man its manual page; catalog is what \
            journalctl -x explains entries with.
            """,
        shouldDisplay: false)

    @Argument(help: "Which one.")
    var text: Text

    func run() {
        let text =
            switch self.text {
            case .man: CommandManual.text(of: Polybot._dumpHelp())
            case .bash: Polybot.completionScript(for: .bash)
            case .zsh: Polybot.completionScript(for: .zsh)
            case .fish: Polybot.completionScript(for: .fish)
            case .config: Configuration.documentation
            case .configMan: Configuration.manual
            case .catalog: EventCatalogue.catalogFile
            }
        StandardStreams.write(text.hasSuffix("\n") ? text : text + "\n")
    }
}
