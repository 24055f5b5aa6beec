import ArgumentParser
import DaemonKit
import Glibc

/// `polybot cancel-all`: `stratd cancel-all`, for only stratd's program touches the account's key.
struct CancelAllCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel-all",
        abstract: "Cancels all open orders of the account. Needs no daemon.",
        discussion: """
            Ends when the venue says that nothing is open. A stratd that trades may place new orders meanwhile: stop it first. \
            The key is read where stratd reads it, by a stratd that this command becomes.
            """)

    @Option(name: .customLong("config"), help: "The configuration file; without it as the daemons look for one.")
    var configurationPath: String?
    @Option(help: "Directory of what stratd keeps, the account's credentials among it.")
    var stateDir: String?

    func run() throws {
        let path = try Executables.directory(with: [.stratd]) + "/stratd"
        var words = [path, "cancel-all"]
        if let configurationPath { words += ["--config", configurationPath] }
        if let stateDir { words += ["--state-dir", stateDir] }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        execv(path, &arguments)
        throw DaemonExit(.unreachable, "\(path) cannot be run: \(String(cString: strerror(errno))).")
    }
}
