import DaemonKit
import Glibc

/// A command of stratd's program run as the system's unit runs stratd: as its user, with its secrets and its state.
///
/// Only systemd can hand out what stands in `/etc/credstore`, and only to what it starts.
enum ServiceRun {
    /// The unit's.
    static let configurationPath = "/etc/polybot/polybot.toml"
    /// Of the unit, what decides on who it is and what it can read, and what keeps a key out of a core file.
    static let properties = [
        "User=polybot-stratd", "Group=polybot", "LoadCredential=private_key:polybot.private_key",
        "LoadCredential=api_credentials:polybot.api_credentials", "StateDirectory=polybot/stratd",
        "StateDirectoryMode=0700", "UMask=0077", "LimitCORE=0", "NoNewPrivileges=yes",
    ]
    private static let executables = ["/usr/bin/systemd-run", "/bin/systemd-run"]

    /// The command line after `systemd-run`: waits, hands all output through, and ends with the command's own code.
    ///
    /// - Parameter program: stratd's program, by an absolute path.
    static func words(_ program: String, _ arguments: [String]) -> [String] {
        ["--quiet", "--pipe", "--wait", "--collect"] + Self.properties.flatMap { ["-p", $0] } + [program] + arguments
    }

    /// Makes this process that command.
    ///
    /// - Throws: code 69 when systemd does not run here, or stratd's program is not there.
    static func become(_ arguments: [String]) throws(DaemonExit) -> Never {
        guard DaemonDirectories.exists("/run/systemd/system"),
            let executable = Self.executables.first(where: { access($0, X_OK) == 0 })
        else {
            throw DaemonExit(.unreachable, "systemd does not run here: leave out --service.")
        }
        let program = try Executables.directory(with: [.stratd]) + "/stratd"
        try Executables.become(executable, Self.words(program, arguments))
    }
}
