import ArgumentParser
import DaemonKit
import Glibc

/// Where the daemons of this user are found.
struct DirectoryOptions: ParsableArguments {
    @Option(help: "Directory of the daemons' sockets; as the daemons' own flag.")
    var runtimeDir: String?

    /// The directory whose sockets are meant: what the flag or systemd says; else the user's own as the daemons choose it,
    /// or that of systemd's units where only those are there.
    ///
    /// - Throws: `DaemonExit` with code 78 when a socket's path would be too long.
    func socketDirectory() throws(DaemonExit) -> String {
        let environment = ProcessEnvironment.current()
        // The state directory plays no part here: nobody needs a home for reading sockets.
        let own = try DaemonDirectories(
            runtimeFlag: self.runtimeDir, stateFlag: "/", environment: environment, user: getuid()
        ).runtime
        guard self.runtimeDir == nil && environment["RUNTIME_DIRECTORY"] == nil else { return own }
        return SocketDirectory.choose(
            own: own, isServed: SocketDirectory.isServed, hasUnits: { Systemctl.ask().hasSomethingUp })
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
