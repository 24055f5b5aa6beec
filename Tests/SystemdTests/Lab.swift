import Foundation
import Testing

/// A real systemd in namespaces of its own, with polybot installed in it as `make install` does it, and a venue beside it.
///
/// Needs root and a built release; `make test-systemd` sees to both and sets `POLYBOT_SYSTEMD`.
final class Lab: Sendable {
    /// Why these tests do not run here; `nil` when they do.
    static let obstacle: String? = {
        if ProcessInfo.processInfo.environment["POLYBOT_SYSTEMD"] == nil {
            return "needs an optimised build and a systemd of its own: make test-systemd runs these."
        }
        guard getuid() == 0 else { return "needs root, for a systemd in namespaces of its own." }
        let namespaces = Lab.run(["unshare", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "true"])
        return namespaces.code == 0 ? nil : "needs namespaces, which this system does not give: \(namespaces.text)"
    }()

    struct Output: Sendable, CustomStringConvertible {
        let code: Int32
        let text: String
        var description: String { "exit \(self.code): \(self.text)" }
        var lines: [String] { self.text.split(separator: "\n").map(String.init) }
        var trimmed: String { self.text.trimmingCharacters(in: .whitespacesAndNewlines) }
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    static let daemons = ["scannerd", "feedd", "stratd"]
    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let tool = "\(sources)/Tests/SystemdTests/systemd-lab"
    static let insideSources = "/opt/polybot-source"

    private let name: String
    /// Of the venue, on the loopback that the lab shares with this machine.
    let port: Int

    /// Boots, installs and writes a configuration that points at a venue, which does not run yet.
    init(_ name: String) throws {
        // One of each name, and none of another checkout: what an aborted run has left is taken away first.
        self.name = "polybot-\(name)-\(String(UInt(bitPattern: Self.sources.hashValueOfBytes) % 100_000))"
        self.port = try Self.freePort()
        let up = Self.run([
            Self.tool, "--name", self.name, "up", "--replace", "--bind-ro", "\(Self.sources):\(Self.insideSources)",
        ])
        guard up.code == 0 else { throw Failure(description: "systemd-lab up: \(up)") }
        let made = self.exec("make", "-s", "-C", Self.insideSources, "install")
        guard made.code == 0 else { throw Failure(description: "make install: \(made)") }
        self.write("/etc/polybot/polybot.toml", self.configuration)
    }

    /// Takes the lab down with all that runs in it.
    func down() { _ = Self.run([Self.tool, "--name", self.name, "down"]) }

    // MARK: In the lab

    func exec(_ words: String...) -> Output { self.exec(words) }
    func exec(_ words: [String]) -> Output { Self.run([Self.tool, "--name", self.name, "exec", "--"] + words) }
    /// A line for the shell.
    func shell(_ line: String) -> Output { self.exec("bash", "-c", line) }

    func write(_ path: String, _ text: String) {
        _ = Self.run(
            [Self.tool, "--name", self.name, "exec", "--", "bash", "-c", "mkdir -p $(dirname \(path)); cat > \(path)"],
            input: text)
    }

    var configuration: String {
        """
        [venue]
        gamma_url = "http://127.0.0.1:\(self.port)"
        clob_url = "http://127.0.0.1:\(self.port)"
        data_url = "http://127.0.0.1:\(self.port)"
        market_ws_url = "ws://127.0.0.1:\(self.port)/ws/market"
        prices_ws_url = "ws://127.0.0.1:\(self.port)/prices"
        binance_ws_url = "ws://127.0.0.1:\(self.port)"
        [feed]
        reconnect_delay_s = 0.5

        """
    }

    func startVenue() throws {
        let started = self.exec(
            "systemd-run", "--quiet", "--collect", "--unit=venue", "/usr/local/bin/simvenue", "--port", "\(self.port)",
            "--markets", "30")
        guard started.code == 0 else { throw Failure(description: "the venue: \(started)") }
    }

    func startVenueOnce() throws {
        if self.systemctl("is-active", "-q", "venue.service").code != 0 { try self.startVenue() }
    }

    func stopVenue() { _ = self.exec("systemctl", "stop", "venue.service") }

    // MARK: The daemons

    static func unit(_ daemon: String) -> String { "polybot-\(daemon).service" }

    func systemctl(_ words: String...) -> Output { self.exec(["systemctl"] + words) }

    /// A property of a daemon's unit.
    func show(_ property: String, of daemon: String) -> String {
        self.systemctl("show", "-P", property, Self.unit(daemon)).trimmed
    }

    func restarts(of daemon: String) -> Int { Int(self.show("NRestarts", of: daemon)) ?? -1 }

    func isActive(_ daemon: String) -> Bool { self.systemctl("is-active", "-q", Self.unit(daemon)).code == 0 }

    /// Names of the sockets that are there.
    var sockets: [String] { self.shell("cd /run/polybot && ls *.sock 2>/dev/null").lines }

    /// Forgets the rows of ends that earlier drills made, which would make the next start wait.
    func forgetEnds() {
        _ = self.shell("rm -f /run/polybot-ends/*; systemctl reset-failed 'polybot-*' 2>/dev/null")
    }

    /// Stops all of it, the units' own way, and waits until all of it is stopped.
    func stopAll() { _ = self.systemctl("stop", "polybot.target", "polybot-*.service") }

    /// What `polybot status` tells, as JSON; `nil` while it cannot.
    func status() -> [String: Any]? {
        let output = self.exec("polybot", "status", "--json", "--runtime-dir", "/run/polybot")
        return try? JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any]
    }

    /// Whether the feed trusts all its books: those that the scanner lists, and those of markets with a position.
    var isFeedWhole: Bool { self.show("StatusText", of: "feedd").isWholeFeed }

    /// Whether all daemons answer and all books are trusted.
    var isWhole: Bool {
        Self.daemons.allSatisfy(self.isActive) && self.status().map { $0["ok"] as? Bool == true } == true
            && self.isFeedWhole
    }

    /// Lines of a daemon's unit since a moment.
    func journal(_ daemon: String, since: String? = nil) -> String {
        let from = since.map { ["--since", $0] } ?? []
        return self.exec(["journalctl", "-q", "-u", Self.unit(daemon), "-o", "cat"] + from).text
    }

    /// Now, for `journal(_:since:)`. No cursor: with a filter, systemd 252 leaves out the line after it.
    func moment() -> String { "@" + self.exec("date", "+%s.%6N").trimmed }

    // MARK: Waiting

    /// Asks until `condition` holds, for `limit` at most.
    func waits(_ limit: Duration, until condition: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + limit
        while !condition() {
            if ContinuousClock.now > end { return false }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return true
    }

    // MARK: On this machine

    private static func run(_ words: [String], input: String? = nil) -> Output {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        let typed = Pipe()
        process.standardInput = input == nil ? FileHandle.nullDevice : typed
        do { try process.run() } catch { return Output(code: -1, text: "\(error)") }
        if let input {
            typed.fileHandleForWriting.write(Data(input.utf8))
            try? typed.fileHandleForWriting.close()
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Output(code: process.terminationStatus, text: text)
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

extension String {
    /// The same for the same text in every process, unlike `hashValue`.
    fileprivate var hashValueOfBytes: Int { self.utf8.reduce(5_381) { ($0 &* 33) ^ Int($1) } }

    /// "websocket, 25 of 25 books trusted, …", and not "0 of 0".
    fileprivate var isWholeFeed: Bool {
        guard let found = self.firstMatch(of: /^websocket, (\d+) of (\d+) books trusted/) else { return false }
        return found.1 == found.2 && found.1 != "0"
    }
}

extension Lab {
    /// With a venue, and with all books trusted.
    func bringUp() async throws {
        try self.startVenueOnce()
        self.forgetEnds()
        #expect(self.systemctl("start", "polybot.target").code == 0)
        try #require(await self.waits(.seconds(15)) { self.isWhole }, "\(self.systemctl("status", "polybot-*"))")
    }
}

/// Gives a suite a lab of its own, and takes it down afterwards whatever happened.
struct InLab: SuiteTrait, TestScoping {
    @TaskLocal static var lab: Lab?
    let name: String

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard Lab.obstacle == nil else { return try await function() }
        let lab = try Lab(self.name)
        defer { lab.down() }
        try await Self.$lab.withValue(lab) { try await function() }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips with a sentence where there can be no lab.
    static var whereSystemdCanRun: ConditionTrait {
        .enabled(if: Lab.obstacle == nil, Comment(rawValue: Lab.obstacle ?? ""))
    }
}
