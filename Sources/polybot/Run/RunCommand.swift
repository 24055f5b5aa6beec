import ArgumentParser
import DaemonKit
import Glibc
import Shared

/// `polybot run`: a venue and the daemons, in one terminal.
struct RunCommand: ParsableCommand {
    enum VenueChoice: String, ExpressibleByArgument, CaseIterable { case embedded, configured }

    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Trades on paper: starts a venue and the daemons, shows what they do, stops them in order.",
        discussion: """
            Starts simvenue (a venue on loopback), scannerd, feedd and stratd from the directory of this program, and \
            starts again whoever ends unasked. Orders are pretended in any case. On a terminal the picture is redrawn \
            each second, elsewhere there is a line every five seconds. Ctrl-C stops everything in order, twice at once.

            Sockets are in --runtime-dir, so that polybot status and polybot tap find them from another terminal. What \
            the daemons log goes to NAME.log in --log-dir, at most 16 MB each. With the embedded venue, state and logs \
            are in a temporary directory that is removed at the end, unless a directory is given.

            --json ends with one line on standard output, an object with these members:

            \(Summary.members)

            The exit code is 0 when ok is true, 1 when it is not, and that of a daemon which cannot run: 64, 77 or 78.
            """)

    @Option(name: .customLong("for"), help: "Stop after this time: 500ms, 20s, 2m, 1h.", transform: DurationText.parse)
    var duration: Duration?
    @Flag(help: "No screen; one line of JSON at the end.")
    var json = false
    @Option(help: "Which venue: embedded, or configured for the one that polybot.toml names.")
    var venue = VenueChoice.embedded
    @Option(help: "Tradable markets of the embedded venue; the scanner then watches as many.")
    var markets: Int?
    @Option(help: "Messages a second of the embedded venue.")
    var rate: Int?
    @Option(help: "Seed of the embedded venue: the same seed gives the same markets and traffic.")
    var seed: UInt64?
    @Option(help: "A recording that the embedded venue plays instead.", completion: .file())
    var replay: String?
    @Option(help: "Speed of the recording; 0 for as fast as it is read.")
    var speed: Double?
    @OptionGroup var configurationOptions: ConfigurationOptions
    @OptionGroup var directories: DirectoryOptions
    @Option(help: "Directory for what must outlive the daemons.", completion: .directory)
    var stateDir: String?
    @Option(help: "Directory for the daemons' logs; without it logs in the state directory.", completion: .directory)
    var logDir: String?

    func validate() throws {
        let forEmbedded: [(String, Bool)] = [
            ("--markets", self.markets != nil), ("--rate", self.rate != nil), ("--seed", self.seed != nil),
            ("--replay", self.replay != nil), ("--speed", self.speed != nil),
        ]
        if self.venue == .configured, let (name, _) = forEmbedded.first(where: \.1) {
            throw ValidationError("\(name) is for the embedded venue; leave it out, or leave out --venue configured.")
        }
        if let name = forEmbedded.first(where: { $0.1 && !["--replay", "--speed"].contains($0.0) })?.0,
            self.replay != nil
        {
            throw ValidationError("\(name) is for made-up traffic, --replay plays a recording: choose one.")
        }
        if self.speed != nil && self.replay == nil {
            throw ValidationError("--speed is the speed of --replay, which is missing.")
        }
        if let speed = self.speed, !(speed >= 0) { throw ValidationError("--speed must be 0 or more.") }
        if let markets = self.markets, !(1...2_000).contains(markets) {
            throw ValidationError("--markets must be from 1 to 2000.")
        }
        if let rate = self.rate, !(0...1_000_000).contains(rate) {
            throw ValidationError("--rate must be from 0 to 1000000.")
        }
    }

    func run() throws {
        // Daemons would refuse a wrong configuration too; here it is said once, before anything is started.
        _ = try self.configurationOptions.load()
        let environment = ProcessEnvironment.current()
        let executables = try Executables.directory(
            with: self.venue == .embedded ? ChildName.allCases : ChildName.daemons)
        if let replay = self.replay, access(replay, R_OK) != 0 {
            throw DaemonExit(.usage, "--replay \(replay) cannot be read: \(String(cString: strerror(errno))).")
        }
        let outcome: RunSession.Outcome
        do {
            // Before anything is made: from here on a signal is an event, and everything is removed again.
            let signals = try RunSignals()
            ChildProcess.keepDescriptorsToOurselves()
            let isStateTemporary = self.venue == .embedded && self.stateDir == nil
            let directories = try RunDirectories(
                runtimeFlag: self.directories.runtimeDir, stateFlag: self.stateDir, isStateTemporary: isStateTemporary,
                logs: self.logDir, environment: environment)
            // Nothing is left then that a signal could leave behind, and whoever reads the report slowly may be given up.
            defer {
                directories.cleanUp()
                signals.release()
            }
            try directories.waitForFreeSockets()
            let plan = ChildPlan(
                embedded: self.venue == .configured
                    ? nil
                    : .init(
                        markets: self.markets, rate: self.rate, seed: self.seed, replay: self.replay, speed: self.speed),
                configurationPath: self.configurationOptions.path, runtimeDirectory: directories.runtime,
                stateDirectory: directories.state, isStateTemporary: isStateTemporary)
            let session = try RunSession(
                plan: plan, directories: directories, executables: executables, environment: environment,
                duration: self.duration,
                terminal: Terminal(kind: self.json ? .nothing : isatty(1) == 1 ? .screen : .lines), signals: signals)
            outcome = try session.run()
        } catch let error as SystemError {
            throw DaemonExit(.bug, "The run cannot be set up: \(error).")
        }
        try self.report(outcome)
    }

    private func report(_ outcome: RunSession.Outcome) throws {
        if !outcome.lastLines.isEmpty {
            StandardStreams.write(outcome.lastLines.joined(separator: "\n") + "\n", to: 2)
        }
        if self.json {
            StandardStreams.write(outcome.summary.json(outcome.picture))
        } else {
            StandardStreams.write(outcome.summary.lines(outcome.picture).joined(separator: "\n") + "\n")
        }
        if let failure = outcome.failure { throw DaemonExit(failure.code, failure.sentence) }
        if !outcome.summary.isOK { throw ExitCode(1) }
    }
}

/// The programs beside this one.
enum Executables {
    /// The directory of this program.
    ///
    /// - Throws: code 69 when one of `children` is not there.
    static func directory(with children: [ChildName]) throws(DaemonExit) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard count > 0 else {
            throw DaemonExit(.unreachable, "This program's own place cannot be found: is /proc mounted?")
        }
        let path = String(decoding: bytes.prefix(count), as: UTF8.self)
        let directory = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
        for child in children where access("\(directory)/\(child)", X_OK) != 0 {
            throw DaemonExit(
                .unreachable, "There is no \(child) beside \(path): build or install all programs together.")
        }
        return directory
    }
}
