import CLinux
import Glibc
import Logging
public import Shared

/// The way from `main` to a running service and out again, the same for every daemon.
///
///     @main struct Feedd {
///         static func main() { Daemon.main("feedd", "keeps order books") { context in FeedService(context) } }
///     }
public enum Daemon {
    /// With "1" the process takes SIGUSR1 and SIGUSR2 for "get stuck", so that a watchdog can be seen at work.
    static let drillsVariable = "POLYBOT_DRILLS"

    /// Reads flags and configuration, runs the service on the calling thread until it is asked to stop, and exits.
    ///
    /// - Parameters:
    ///   - summary: what it does, to follow its name in help and manual: without a full stop.
    ///   - ownFlags: what it takes besides what all take, each with a value; see `DaemonContext.flags`.
    ///   - commands: what it does once, when its name is the first argument.
    ///   - readsSecrets: whether it uses what `ProcessEnvironment.secretNames` hold; otherwise it keeps none of that.
    ///   - makeService: called once, on the loop's thread before the loop runs; throw `DaemonExit` to refuse.
    public static func main(
        _ name: String, _ summary: String, ownFlags: [ProgramFlag] = [],
        commands: [DaemonCommand] = [], readsSecrets: Bool = false,
        arguments: [String] = Array(CommandLine.arguments.dropFirst()),
        makeService: (DaemonContext) throws -> any DaemonService
    ) -> Never {
        ProcessSettings.openStandardStreams()
        ProcessSettings.ignoreBrokenPipes()
        do {
            if let command = commands.first(where: { $0.name == arguments.first }) {
                exit(try Self.run(command, of: name, Array(arguments.dropFirst()), readsSecrets: readsSecrets).rawValue)
            }
            exit(
                try Self.run(
                    .daemon(name, summary, ownFlags, commands), ownFlags, arguments, readsSecrets: readsSecrets,
                    makeService
                ).rawValue)
        } catch {
            Self.tell(name, error)
            exit(error.code.rawValue)
        }
    }

    /// Says why there will be no daemon: to a person as plain lines, to a manager as entries of its journal and as status.
    private static func tell(_ name: String, _ failure: DaemonExit) {
        let environment = ProcessEnvironment.current()
        guard ProcessEnvironment.isUnderSystemd(environment, process: getpid()) else {
            // One problem a line, each with the daemon's name before it.
            for line in failure.message.split(separator: "\n") { Self.print("\(name): \(line)", to: 2) }
            return
        }
        let logger = Logger(label: name) { _ in
            DaemonLogHandler(program: name, format: .auto, level: .info, environment: environment)
        }
        for line in failure.message.split(separator: "\n") {
            logger.critical("Cannot start", metadata: ["code": "\(failure.code.rawValue)", "reason": "\(line)"])
        }
        Notifier.lastWords(failure.message)
    }

    private static func run(
        _ program: Program, _ ownFlags: [ProgramFlag], _ arguments: [String], readsSecrets: Bool,
        _ makeService: (DaemonContext) throws -> any DaemonService
    ) throws(DaemonExit) -> DaemonExit.Code {
        let name = program.name
        let flags = try DaemonFlags(arguments, ownFlags: ownFlags)
        switch flags.action {
        case .printHelp:
            Self.print(program.help, to: 1)
            return .stopped
        case .printVersion:
            Self.print("\(name) \(polybotVersion)", to: 1)
            return .stopped
        case .generate(let text):
            Self.print(program.text(text), to: 1, terminator: "")
            return .stopped
        case .checkConfiguration:
            let configuration = try Self.configuration(name, flags, try Self.environment(readsSecrets: readsSecrets))
            for note in configuration.notes { Self.print("note: \(note)", to: 1) }
            Self.print("configuration is valid", to: 1)
            return .stopped
        case .run: break
        }
        // First of all, as whoever asks a program that is just starting to stop expects an orderly end too, and before
        // any other thread exists: threads inherit what is blocked.
        let signals = try StopSignals()
        let environment = try Self.environment(readsSecrets: readsSecrets)
        let configuration = try Self.configuration(name, flags, environment)
        let directories = try DaemonDirectories(
            runtimeFlag: flags.runtimeDirectory, stateFlag: flags.stateDirectory, peersFlag: flags.peersDirectory,
            environment: environment, user: getuid())
        try directories.create()
        let lifeline = try Lifeline.descriptor(in: environment)
        let openFilesMax = clinux_raise_open_files()

        LoggingSystem.bootstrap { _ in
            DaemonLogHandler(
                program: name, format: flags.logFormat, level: configuration.logging.level, environment: environment)
        }
        let logger = Logger(label: name)
        let loop: EventLoop
        do {
            loop = try EventLoop()
        } catch {
            throw DaemonExit(.bug, "The event loop cannot be made: \(error).")
        }
        let notifier = Notifier()
        let lifecycle = DaemonLifecycle(
            name: name, loop: loop, logger: logger, notifier: notifier,
            allowsDrills: environment[Self.drillsVariable] == "1")
        let context = DaemonContext(
            name: name, loop: loop, configuration: configuration, directories: directories, environment: environment,
            flags: flags.own, logger: logger, notifier: notifier, stopRequest: { lifecycle.requestStop($0) })
        logger.notice(
            "Starting",
            metadata: [
                "version": "\(context.version)", "instance": "\(context.instance)", "pid": "\(getpid())",
                "config": "\(configuration.file ?? "defaults")", "runtime_dir": "\(directories.runtime)",
                "state_dir": "\(directories.state)", "open_files_max": "\(openFilesMax)",
            ])
        for note in configuration.notes { logger.warning("A setting has no effect", metadata: ["setting": "\(note)"]) }
        let service: any DaemonService
        do {
            service = try makeService(context)
        } catch let exit as DaemonExit {
            throw exit
        } catch {
            throw DaemonExit(.bug, "The service cannot be made: \(error).")
        }
        return try lifecycle.run(service, signals: signals, lifeline: lifeline)
    }

    private static func run(
        _ command: DaemonCommand, of name: String, _ arguments: [String], readsSecrets: Bool
    ) throws(DaemonExit) -> DaemonExit.Code {
        var rest = arguments[...]
        let operands = command.takeOperands(&rest)
        let flags = try DaemonFlags(rest, ownFlags: command.ownFlags, among: DaemonCommand.flagNames)
        guard flags.action == .run else {
            Self.print(Program.command(command, of: name).help, to: 1)
            return .stopped
        }
        try command.check(operands)
        let environment = try Self.environment(readsSecrets: readsSecrets)
        let configuration = try Self.configuration(name, flags, environment)
        // It has no socket: whatever is wrong with the place for them must not keep it from its work.
        let directories = try DaemonDirectories(
            runtimeFlag: "/", stateFlag: flags.stateDirectory, environment: environment, user: getuid())
        if !command.isReader { try DaemonDirectories.create(directories.state) }
        try command.run(
            DaemonCommand.Context(
                configuration: configuration, environment: environment, stateDirectory: directories.state,
                operands: operands, flags: flags.own, tell: { Self.print($0, to: 1) },
                warn: { Self.print("\(name): \($0)", to: 2) }))
        return .stopped
    }

    /// The process's environment, without secrets where they are of no use.
    ///
    /// Dumps are forbidden before anything that could be a secret is read: also a daemon that has none comes past the account's
    /// key where a `.env` file has it. Under systemd no such file is read, and a dump shows how such a daemon came to its end.
    private static func environment(readsSecrets: Bool) throws(DaemonExit) -> [String: String] {
        if readsSecrets {
            try ProcessSettings.forbidDumps()
            return ProcessEnvironment.current()
        }
        let environment = ProcessEnvironment.current(wiping: ProcessEnvironment.secretNames)
        if !ProcessEnvironment.isUnderSystemd(environment, process: getpid()) { try ProcessSettings.forbidDumps() }
        return environment
    }

    private static func configuration(
        _ name: String, _ flags: DaemonFlags, _ environment: [String: String]
    ) throws(DaemonExit) -> Configuration {
        let level = flags.logLevel.map { [(path: "logging.level", flag: "--log-level", text: $0)] } ?? []
        do {
            return try Configuration.load(
                path: flags.configurationPath, environment: environment,
                readsDotEnv: !ProcessEnvironment.isUnderSystemd(environment, process: getpid()), commandLine: level)
        } catch {
            throw DaemonExit(.configuration, error.problems.map(\.description).joined(separator: "\n"))
        }
    }

    /// Writes a line; nobody reading it is no error.
    private static func print(_ text: String, to descriptor: Int32, terminator: String = "\n") {
        let bytes = Array((text + terminator).utf8)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }
}

/// What holds for the whole process.
enum ProcessSettings {
    /// Makes sure that descriptors 0, 1 and 2 exist: otherwise a socket could get number 2, and log lines with it.
    static func openStandardStreams() {
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
    }

    /// Keeps this process's memory out of core dumps and away from debuggers.
    ///
    /// - Throws: code 77 when the system refuses.
    static func forbidDumps() throws(DaemonExit) {
        guard clinux_forbid_dumps() == 0 else {
            throw DaemonExit(.refused, "Dumps of this process's memory cannot be forbidden: \(SystemError("prctl")).")
        }
    }

    /// A peer that is gone is an error of `write`, not the end of the process.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
