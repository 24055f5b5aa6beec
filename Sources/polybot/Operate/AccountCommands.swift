import ArgumentParser
import DaemonKit
import Glibc

/// Of what only stratd's program may do, as it touches the account's key: the command becomes that program.
struct AccountOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration file; without it as the daemons look for one.")
    var configurationPath: String?
    @Option(help: "Directory of what stratd keeps, the account's credentials among it.")
    var stateDir: String?
    @Flag(help: "With the key, the state and the configuration of the system's unit, as its user. Needs root.")
    var service = false

    func validate() throws {
        guard self.service, self.stateDir != nil else { return }
        throw ValidationError("--service takes the unit's own state: leave out --state-dir.")
    }

    /// The words of `command`, for stratd's program.
    func words(_ command: String) -> [String] {
        var words = [command]
        if let path = self.configurationPath ?? (self.service ? ServiceRun.configurationPath : nil) {
            words += ["--config", path]
        }
        if let stateDir { words += ["--state-dir", stateDir] }
        return words
    }

    /// Makes this process stratd's program with that command, or what has systemd run it.
    func become(_ command: String) throws(DaemonExit) -> Never {
        guard self.service else { try Executables.becomeStratd(self.words(command)) }
        if let path = self.configurationPath, !path.hasPrefix("/") {
            throw DaemonExit(.usage, "--config \(path): with --service it must begin with \"/\".")
        }
        try ServiceRun.become(self.words(command))
    }
}

extension Executables {
    /// Makes this process stratd's program, with these arguments.
    ///
    /// - Throws: code 69 when it cannot be found or run.
    static func becomeStratd(_ words: [String]) throws(DaemonExit) -> Never {
        try Self.become(try Self.directory(with: [.stratd]) + "/stratd", words)
    }

    /// Makes this process the program at `path`, with these arguments.
    ///
    /// - Throws: code 69 when it cannot be run.
    static func become(_ path: String, _ words: [String]) throws(DaemonExit) -> Never {
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
            The key is read where stratd reads it, by a stratd that this command becomes. That of the system's unit is \
            systemd's to give: sudo polybot cancel-all --service.
            """)

    @OptionGroup var options: AccountOptions

    func run() throws { try self.options.become("cancel-all") }
}

/// `polybot doctor`: `stratd doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at everything that live trading needs, and says what to do about what is missing.",
        discussion: """
            Places no order, and needs no daemon. The key is read where stratd reads it, by a stratd that this command becomes. \
            That of the system's unit is systemd's to give: sudo polybot doctor --service. \
            Exit code 77 when something is missing.
            """)

    @OptionGroup var options: AccountOptions

    func run() throws { try self.options.become("doctor") }
}
