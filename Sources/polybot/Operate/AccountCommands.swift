import ArgumentParser
import DaemonKit
import Glibc

/// Of what only stratd's program may do, as it touches the account's key: the command becomes that program.
struct AccountOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration file; without it as the daemons look for one.")
    var configurationPath: String?
    @Option(help: "Directory of what stratd keeps, the account's credentials among it.")
    var stateDir: String?

    /// The words of `command`, for stratd's program.
    func words(_ command: String) -> [String] {
        var words = [command]
        if let configurationPath { words += ["--config", configurationPath] }
        if let stateDir { words += ["--state-dir", stateDir] }
        return words
    }
}

extension Executables {
    /// Makes this process stratd's program, with these arguments.
    ///
    /// - Throws: code 69 when it cannot be found or run.
    static func becomeStratd(_ words: [String]) throws(DaemonExit) -> Never {
        let path = try Self.directory(with: [.stratd]) + "/stratd"
        var arguments: [UnsafeMutablePointer<CChar>?] = ([path] + words).map { strdup($0) }
        arguments.append(nil)
        execv(path, &arguments)
        throw DaemonExit(.unreachable, "\(path) cannot be run: \(String(cString: strerror(errno))).")
    }
}

/// `polybot cancel-all`: `stratd cancel-all`.
struct CancelAllCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel-all",
        abstract: "Cancels all open orders of the account. Needs no daemon.",
        discussion: """
            Ends when the venue says that nothing is open. A stratd that trades may place new orders meanwhile: stop it first. \
            The key is read where stratd reads it, by a stratd that this command becomes.
            """)

    @OptionGroup var options: AccountOptions

    func run() throws { try Executables.becomeStratd(self.options.words("cancel-all")) }
}

/// `polybot doctor`: `stratd doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at everything that live trading needs, and says what to do about what is missing.",
        discussion: """
            Places no order, and needs no daemon. The key is read where stratd reads it, by a stratd that this command becomes. \
            Exit code 77 when something is missing.
            """)

    @OptionGroup var options: AccountOptions

    func run() throws { try Executables.becomeStratd(self.options.words("doctor")) }
}
