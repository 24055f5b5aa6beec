import Glibc

@testable import DaemonKit

/// A program as a real process: its output by lines, ended and reaped with this object at the latest.
///
///     let venue = try RunningProgram(Programs.path(of: "simvenue"), ["--port", "0"], in: directory.path)
///     let line = try await venue.line(of: .output) { $0.contains("ready") }
///     #expect(try await venue.stop() == .exited(0))
final class RunningProgram: Sendable {
    enum Stream: Int32, CaseIterable { case output = 1, errors = 2 }

    enum Ending: Equatable {
        case exited(Int32)
        case killed(by: Int32)
    }

    let name: String
    let pid: pid_t
    private let output: LineReader
    private let errors: LineReader
    /// The end that the child watches by `POLYBOT_LIFELINE_FD`: should the tests die, their daemons follow.
    private let lifeline: Int32
    private let reaper: Reaper

    /// - Parameters:
    ///   - executable: a path, or a name that is looked up in the path.
    ///   - directory: where it runs. No configuration of the developer's is found there.
    ///   - environment: added to `PATH` and `HOME`; nothing else of ours is handed on.
    ///   - hasPrices: whether addresses of reference prices are those of a file. Without it they are those of
    ///     `environment`, or empty: nobody may call the world outside.
    init(
        _ executable: String, _ arguments: [String] = [], in directory: String = "/",
        environment: [String: String] = [:], hasPrices: Bool = false
    ) throws(SystemError) {
        self.name = executable.split(separator: "/").last.map(String.init) ?? executable
        let output = try Channel()
        let errors = try Channel()
        let lifeline = try Channel()
        var variables = [
            "PATH": Programs.variable("PATH") ?? "/usr/bin:/bin", "HOME": directory, "POLYBOT_LIFELINE_FD": "3",
        ]
        // The sources stay as they are.
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
        variables["LD_LIBRARY_PATH"] = Programs.variable("LD_LIBRARY_PATH")
        // Of a run at another time of day, beside a library of the test's own.
        let libraries = [environment["LD_PRELOAD"], Programs.variable("LD_PRELOAD")].compactMap(\.self)
        variables["CLOCK_SHIFT"] = Programs.variable("CLOCK_SHIFT")
        if !hasPrices {
            for stream in ["PRICES", "BINANCE"] { variables["POLYBOT_VENUE_\(stream)_WS_URL"] = "" }
        }
        variables.merge(environment) { $1 }
        if !libraries.isEmpty { variables["LD_PRELOAD"] = libraries.joined(separator: ":") }
        self.pid = try Self.spawn(
            ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, directory, executable] + arguments, environment: variables,
            descriptors: [output.theirs, errors.theirs, lifeline.theirs])
        self.lifeline = lifeline.keepOurs()
        self.reaper = Reaper(self.pid)
        self.output = try LineReader(output.keepOurs())
        self.errors = try LineReader(errors.keepOurs())
    }

    deinit {
        self.reaper.kill()
        close(self.lifeline)
    }

    private static func spawn(
        _ words: [String], environment: [String: String], descriptors: [Int32]
    ) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // In this order none is overwritten before it is read: our own 0, 1 and 2 are open, so all are above.
        precondition(descriptors.allSatisfy { $0 > 2 })
        for (index, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, 1 + Int32(index))
        }
        // What the test runner blocks or ignores must work in the child.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let arguments = words.map { strdup($0) }
        let variables = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") }
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, words[0], &actions, &attributes, arguments + [nil], variables + [nil])
        guard error == 0 else { throw SystemError("posix_spawn \(words[0])", code: error) }
        return pid
    }

    /// What it holds in memory now; `nil` when it has ended.
    var residentByteCount: Int? {
        guard let bytes = contents(of: "/proc/\(self.pid)/statm") else { return nil }
        let pages = String(decoding: bytes, as: UTF8.self).split(separator: " ").dropFirst().first
        return pages.flatMap { Int($0) }.map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
    }

    // MARK: Output

    /// All that it has written to `stream` so far.
    func lines(of stream: Stream) -> [String] { self.reader(stream).lines }

    func text(of stream: Stream) -> String { self.lines(of: stream).joined(separator: "\n") }

    /// Waits for the first line that `isWanted`, those written already included.
    func line(
        of stream: Stream, within deadline: Duration = .seconds(60), where isWanted: (String) -> Bool
    ) async throws -> String {
        try await waitFor("a line of \(self.name)", within: deadline, state: self.report) {
            let wasEnded = self.ending != nil
            let reader = self.reader(stream)
            let isComplete = reader.isAtEnd
            if let line = reader.lines.first(where: isWanted) { return line }
            if wasEnded && isComplete {
                throw WaitedInVain(description: "\(self.name) ended without the line\n\(self.report)")
            }
            return nil
        }
    }

    private func reader(_ stream: Stream) -> LineReader { stream == .output ? self.output : self.errors }

    /// What a failed expectation should show: how it stands and the end of what it wrote.
    var report: String {
        let ending = self.ending.map { "\($0)" } ?? "running"
        let lines = Stream.allCases.map { "\($0):\n" + self.reader($0).lines.suffix(30).joined(separator: "\n") }
        return "\(self.name), pid \(self.pid), \(ending)\n" + lines.joined(separator: "\n")
    }

    // MARK: Ending

    /// How it ended; `nil` while it runs.
    var ending: Ending? { self.reaper.ending }

    /// Sends a signal, unless it has ended.
    func signal(_ number: Int32) { self.reaper.signal(number) }

    /// Waits until it has ended by itself.
    func waitForEnd(within deadline: Duration = .seconds(60)) async throws -> Ending {
        try await waitFor("the end of \(self.name)", within: deadline, state: self.report) {
            guard let ending = self.ending, self.output.isAtEnd, self.errors.isAtEnd else { return nil }
            return ending
        }
    }

    /// Asks it to stop and waits until it has.
    @discardableResult
    func stop(_ number: Int32 = SIGTERM, within deadline: Duration = .seconds(60)) async throws -> Ending {
        self.signal(number)
        return try await self.waitForEnd(within: deadline)
    }
}

/// A pair of connected descriptors, one for a child. No other child that is started meanwhile inherits them.
private struct Channel: ~Copyable {
    private var ours: Int32
    let theirs: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SystemError("socketpair")
        }
        (self.ours, self.theirs) = (ends[0], ends[1])
    }

    deinit {
        close(self.theirs)
        if self.ours >= 0 { close(self.ours) }
    }

    /// Our end, which is the caller's from now on.
    consuming func keepOurs() -> Int32 {
        let descriptor = self.ours
        self.ours = -1
        return descriptor
    }
}

/// Knows whether a child lives, so that no signal ever reaches a stranger with its number.
private final class Reaper: @unchecked Sendable {
    private let pid: pid_t
    private let lock = Mutex()
    /// Guarded by `lock`.
    private var status: Int32?

    init(_ pid: pid_t) { self.pid = pid }

    var ending: RunningProgram.Ending? {
        self.lock.lock()
        defer { self.lock.unlock() }
        self.reap(WNOHANG)
        guard let status = self.status else { return nil }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(by: status & 0x7F)
    }

    func signal(_ number: Int32) {
        self.lock.lock()
        defer { self.lock.unlock() }
        self.reap(WNOHANG)
        if self.status == nil { Glibc.kill(self.pid, number) }
    }

    func kill() {
        self.signal(SIGKILL)
        self.lock.lock()
        defer { self.lock.unlock() }
        self.reap(0)
    }

    private func reap(_ options: Int32) {
        guard self.status == nil else { return }
        var status: Int32 = 0
        while true {
            let result = waitpid(self.pid, &status, options)
            if result == self.pid { self.status = status }
            guard result < 0 && errno == EINTR else { return }
        }
    }
}

/// Collects a pipe's lines on a thread of its own, until the pipe ends.
private final class LineReader: @unchecked Sendable {
    private let lock = Mutex()
    /// Guarded by `lock`.
    private var storedLines: [String] = []
    /// Guarded by `lock`.
    private var hasEnded = false

    /// - Parameter descriptor: closed when it ends.
    init(_ descriptor: Int32) throws(SystemError) {
        try WorkerThread { [self] in
            var rest: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { break }
                rest.append(contentsOf: buffer[..<count])
                var lines: [String] = []
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.append(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeSubrange(...end)
                }
                self.add(lines)
            }
            self.add(rest.isEmpty ? [] : [String(decoding: rest, as: UTF8.self)], isEnd: true)
            close(descriptor)
        }.detach()
    }

    private func add(_ lines: [String], isEnd: Bool = false) {
        self.lock.lock()
        defer { self.lock.unlock() }
        self.storedLines += lines
        if isEnd { self.hasEnded = true }
    }

    /// Whole lines so far; the last, unended one too once the pipe has ended.
    var lines: [String] {
        self.lock.lock()
        defer { self.lock.unlock() }
        return self.storedLines
    }

    var isAtEnd: Bool {
        self.lock.lock()
        defer { self.lock.unlock() }
        return self.hasEnded
    }
}
