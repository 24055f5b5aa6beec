import ArgumentParser
import DaemonKit
import Glibc
import Shared

/// `polybot drill`: what happens when something dies, tried on the simulated venue.
struct DrillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill", abstract: "Tries, on the simulated venue, what happens when something dies.",
        subcommands: [DeadManDrill.self])
}

/// `polybot drill dead-man`: how long orders outlive a stratd that was killed.
struct DeadManDrill: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-man",
        abstract: "Kills a stratd that quotes live on the simulated venue, and tells when its orders are gone.",
        discussion: """
            Everything is on loopback and in a directory that goes again; the key is made up, and no configuration, .env \
            file or credential of yours is read. Nothing starts stratd again: \
            what ends the orders is the venue, which misses the heartbeats. The real venue cancels ten to fifteen seconds \
            after the last of them.
            """)

    func run() throws {
        let environment = ProcessEnvironment.current()
        let programs = try Executables.directory(with: ChildName.allCases)
        let directories = try RunDirectories(
            runtimeFlag: nil, stateFlag: nil, isStateTemporary: true, logs: nil, environment: environment)
        defer { directories.cleanUp() }
        try directories.waitForFreeSockets()
        ChildProcess.keepDescriptorsToOurselves()
        let places = (runtime: directories.runtime, state: directories.state)
        try WaitedRequests.run(nil) { (client, loop) async throws(DaemonExit) in
            let drill = Drill(programs, places, environment, client, loop)
            defer { drill.end() }
            try await drill.run()
        }
    }
}

/// The processes of a drill. Confined to its loop.
private final class Drill {
    /// Worth nothing anywhere, and of this drill alone: one stratd of a machine trades for an account.
    private let key = "0x" + (0..<64).map { _ in String(Int.random(in: 1...14), radix: 16) }.joined()
    /// How long the daemons have until orders rest, and the venue until they are gone.
    private static let quoteTimeMax = Duration.seconds(60)
    private static let cancelTimeMax = Duration.seconds(60)
    private static let pollInterval = Duration.milliseconds(100)
    private static let orderCountMin = 4
    /// Nobody is to take the orders soon.
    private static let venue = ChildPlan.EmbeddedVenue(markets: 12, rate: 20)
    private static let outputByteCountMax = 64 << 10
    /// All that the children get of our environment. No setting, whatever its name, and no way to the account's key.
    private static let inherited: Set<String> = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LD_LIBRARY_PATH"]

    private let programs: String
    private let environment: [String: String]
    private let client: RESTClient
    private let loop: EventLoop
    private var plan: ChildPlan
    private var children: [(name: ChildName, process: ChildProcess)] = []
    private var lifeline: (reading: Int32, writing: Int32)?
    private var port = 0

    init(
        _ programs: String, _ places: (runtime: String, state: String), _ environment: [String: String],
        _ client: RESTClient, _ loop: EventLoop
    ) {
        self.programs = programs
        self.environment = environment.filter { Self.inherited.contains($0.key) }
        self.client = client
        self.loop = loop
        self.plan = ChildPlan(
            embedded: Self.venue, configurationPath: "\(places.state)/drill.toml", runtimeDirectory: places.runtime,
            stateDirectory: places.state, isStateTemporary: true)
    }

    /// An empty one, as daemons without one look for that of the working directory or the system, and for an .env file
    /// beside it: the account's own key would be found there.
    private func makeConfiguration() throws(DaemonExit) {
        guard let path = self.plan.configurationPath else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw DaemonExit(.refused, "\(path) cannot be made: \(String(cString: strerror(errno))).")
        }
        close(descriptor)
    }

    func run() async throws(DaemonExit) {
        try self.makeConfiguration()
        try self.start(.simvenue)
        try await self.waitForVenue()
        for daemon in ChildName.daemons { try self.start(daemon) }
        let begun = Instant.now()
        while try await self.openOrderCount() < Self.orderCountMin {
            guard Instant.now() - begun < Self.quoteTimeMax else {
                throw DaemonExit(.bug, "stratd did not quote in time.")
            }
            try await self.pause()
        }
        try await self.control(#"{"do":"pause_traffic"}"#)
        let before = try await self.openOrderCount()
        let account = try await self.account() ?? "0x"
        self.children.removeAll { child in
            guard child.name == .stratd else { return false }
            Self.end(child.process)
            return true
        }
        let killed = Instant.now()
        StandardStreams.write("stratd was killed with \(before) orders open of the made-up account \(account)\n", to: 1)
        while try await self.openOrderCount() > 0 {
            guard Instant.now() - killed < Self.cancelTimeMax else {
                throw DaemonExit(.bug, "Orders are still open \(Self.cancelTimeMax.components.seconds) s later.")
            }
            try await self.pause()
        }
        let tenths = (Instant.now() - killed).milliseconds / 100
        StandardStreams.write("no order was open after \(tenths / 10).\(tenths % 10) s\n", to: 1)
    }

    func end() {
        for name in ChildName.stopOrder {
            for child in self.children where child.name == name { Self.end(child.process) }
        }
        if let lifeline = self.lifeline {
            close(lifeline.reading)
            close(lifeline.writing)
        }
    }

    private static func end(_ child: ChildProcess) {
        child.signal(SIGKILL)
        while child.takeExit() == nil { usleep(1_000) }
        close(child.output)
    }

    private func start(_ child: ChildName) throws(DaemonExit) {
        do throws(SystemError) {
            if self.lifeline == nil { self.lifeline = try Pipe.make() }
            var variables = self.plan.environment(from: self.environment, port: self.port)
            if child == .stratd {
                variables["POLYBOT_TRADING_MODE"] = "live"
                variables["POLYGON_PRIVATE_KEY"] = self.key
                variables["POLYBOT_VENUE_GEOBLOCK_URL"] = "http://127.0.0.1:\(self.port)/api/geoblock"
            }
            self.children.append(
                (
                    child,
                    try ChildProcess.spawn(
                        "\(self.programs)/\(child)", self.plan.arguments(of: child, port: self.port),
                        environment: variables, lifeline: self.lifeline?.reading)
                ))
        } catch { throw DaemonExit(.bug, "\(child) cannot be started: \(error).") }
    }

    /// Reads what the children say, so that none waits for a reader; of simvenue the first line.
    private func pause() async throws(DaemonExit) {
        await self.loop.sleep(for: Self.pollInterval)
        for child in self.children { _ = Self.read(child.process) }
        var ended: [ChildName] = []
        self.children.removeAll { child in
            guard child.process.takeExit() != nil else { return false }
            close(child.process.output)
            ended.append(child.name)
            return true
        }
        if let name = ended.first { throw DaemonExit(.bug, "\(name) has ended by itself.") }
    }

    private static func read(_ child: ChildProcess) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: Self.outputByteCountMax)
        let count = Glibc.read(child.output, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }

    private func waitForVenue() async throws(DaemonExit) {
        var text: [UInt8] = []
        let begun = Instant.now()
        while Instant.now() - begun < Self.quoteTimeMax, let venue = self.children.first {
            text += Self.read(venue.process)
            if let end = text.firstIndex(of: UInt8(ascii: "\n")),
                let port = (try? JSONValue(parsing: text[..<end]))?["port"]?.integer
            {
                self.port = Int(port)
                return
            }
            await self.loop.sleep(for: Self.pollInterval)
        }
        throw DaemonExit(.bug, "simvenue names no port.")
    }

    // MARK: The venue's truth

    /// The address of the only account there; `nil` before its first request.
    private func account() async throws(DaemonExit) -> String? {
        try await self.get("/truth/account").array?.first?.string
    }

    private func openOrderCount() async throws(DaemonExit) -> Int {
        guard let address = try await self.account() else { return 0 }
        return try await self.get("/truth/account?address=\(address)")["orders"]?.array?.count ?? 0
    }

    private func get(_ path: String) async throws(DaemonExit) -> JSONValue {
        do {
            let response = try await self.client.request(RESTRequest(url: "http://127.0.0.1:\(self.port)\(path)"))
            return try JSONValue(parsing: response.body)
        } catch { throw DaemonExit(.bug, "simvenue cannot be asked: \(error).") }
    }

    private func control(_ command: String) async throws(DaemonExit) {
        let url = "http://127.0.0.1:\(self.port)/control"
        do {
            _ = try await self.client.request(RESTRequest(.post, url: url, body: Array(command.utf8)))
        } catch { throw DaemonExit(.bug, "simvenue cannot be told: \(error).") }
    }
}
