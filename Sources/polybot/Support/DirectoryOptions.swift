import ArgumentParser
import DaemonKit
import Glibc

/// Where the daemons of this user are found.
struct DirectoryOptions: ParsableArguments {
    @Option(help: "Directory of the daemons' sockets; as the daemons' own flag.")
    var runtimeDir: String?

    /// Of every command to stratd, for its help.
    static let ofCommands = """
        Without --runtime-dir it is for the stratd that answers in the user's own directory, as of polybot run, or in \
        \(SocketDirectory.ofUnits), which is that of systemd's units. Where one answers there and daemons run in both, nothing is \
        done and the exit code is 64: say which is meant. The answer names the directory, and whether that stratd trades on paper or live.
        """

    /// The directory whose sockets are meant: what the flag or systemd says; else the user's own as the daemons choose it,
    /// or that of systemd's units where only those are there.
    ///
    /// - Throws: `DaemonExit` with code 78 when a socket's path would be too long.
    func socketDirectory() throws(DaemonExit) -> String {
        let (own, isSaid) = try self.own()
        if isSaid { return own }
        return SocketDirectory.choose(
            own: own, isServed: SocketDirectory.isServed, hasUnits: { Systemctl.ask().hasSomethingUp })
    }

    /// The directory of the stratd that a command is for: as above, where it is stratd's socket that counts.
    ///
    /// - Throws: `DaemonExit` with code 64 when a stratd answers in both and nothing says which is meant.
    func strategyDirectory() throws(DaemonExit) -> String {
        let (own, isSaid) = try self.own()
        if isSaid { return own }
        return try SocketDirectory.chooseForCommand(
            own: own, isOfUnits: SocketDirectory.isOfUnits, isServed: SocketDirectory.hasStrategy,
            hasOthers: SocketDirectory.isServed, hasUnits: { Systemctl.ask().hasSomethingUp })
    }

    /// The directory that the daemons of this user choose, and whether somebody has said it.
    private func own() throws(DaemonExit) -> (directory: String, isSaid: Bool) {
        let environment = ProcessEnvironment.current()
        // The state directory plays no part here: nobody needs a home for reading sockets.
        let own = try DaemonDirectories(
            runtimeFlag: self.runtimeDir, stateFlag: "/", environment: environment, user: getuid()
        ).runtime
        return (own, self.runtimeDir != nil || environment["RUNTIME_DIRECTORY"] != nil)
    }
}

/// Which configuration counts.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration file; without it as the daemons look for one.")
    var path: String?

    /// Reads the configuration as the daemons do.
    ///
    /// - Throws: `DaemonExit` with code 78, with everything that is wrong.
    func load() throws(DaemonExit) -> Configuration {
        let environment = ProcessEnvironment.current()
        do {
            return try Configuration.load(
                path: self.path, environment: environment,
                readsDotEnv: !ProcessEnvironment.isUnderSystemd(environment, process: getpid()))
        } catch {
            throw DaemonExit(.configuration, error.problems.map(\.description).joined(separator: "\npolybot: "))
        }
    }
}
