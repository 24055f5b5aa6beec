import CLinux
import CSystemd
import Glibc
import Logging
import Shared
import Synchronization

/// What a daemon tells systemd: ready, status, still alive, stopping; and the listener that it leaves in safe keeping.
///
/// Outside systemd every call does nothing. From any thread, but for the watchdog, which is the loop's.
public final class Notifier: Sendable {
    private struct State {
        var isReady = false
        var status = ""
        /// Descriptors that the manager kept for us, by name, until somebody takes them.
        var kept: [String: [Int32]] = [:]
        /// What the watchdog judges, by name.
        var parts: [String: Part] = [:]
    }

    private struct Part {
        let wedge: @Sendable () -> Void
        let isAdvancing: @Sendable () -> Bool
        /// Whether it was said that it does not.
        var isStuck = false
    }

    /// Whether there is a manager that listens.
    public let isActive: Bool
    /// Time within which the manager must hear of us; `nil` when it does not watch.
    public let watchdogInterval: Duration?
    private let state: Synchronization.Mutex<State>

    /// Reads what systemd left in the process's environment, kept descriptors included. Once a process: nobody else may
    /// read them.
    public init() {
        var microseconds: UInt64 = 0
        self.watchdogInterval = sd_watchdog_enabled(0, &microseconds) > 0 ? .microseconds(Int64(microseconds)) : nil
        self.isActive = getenv("NOTIFY_SOCKET") != nil
        var state = State()
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        // Children must not take our descriptors for theirs, so the variables go.
        let count = sd_listen_fds_with_names(1, &names)
        for index in 0..<max(0, Int(count)) {
            let descriptor = SD_LISTEN_FDS_START + Int32(index)
            _ = clinux_set_nonblocking(descriptor)
            if let name = names?[index] {
                state.kept[String(cString: name), default: []].append(descriptor)
                free(name)
            } else {
                close(descriptor)
            }
        }
        free(names)
        self.state = Synchronization.Mutex(state)
    }

    // MARK: Saying

    /// The daemon is useful now. Said once, however often it is called.
    public func ready() {
        let isFirst = self.state.withLock { state in
            defer { state.isReady = true }
            return !state.isReady
        }
        if isFirst { sd_notify(0, "READY=1") }
    }

    /// Whether `ready()` was called.
    public var isReady: Bool { self.state.withLock(\.isReady) }

    /// One line on what the daemon does, for `systemctl status`. The same line twice is said once.
    public func status(_ text: String) {
        let line = String(text.map { $0.isNewline ? " " : $0 })
        let isNew = self.state.withLock { state in
            defer { state.status = line }
            return state.status != line
        }
        if isNew { sd_notify(0, "STATUS=\(line)") }
    }

    /// What `systemctl status` shows of a daemon that could not start.
    static func lastWords(_ text: String) {
        sd_notify(0, "STATUS=" + String(text.prefix(400).map { $0.isNewline ? " " : $0 }))
    }

    /// The daemon is on its way out.
    public func stopping() { sd_notify(0, "STOPPING=1") }

    // MARK: Kept descriptors

    /// Leaves a copy of `descriptor` with the manager, which gives it back after a crash or a restart.
    ///
    /// - Parameter name: at most 255 printable ASCII characters without ":".
    public func keepListener(_ descriptor: Int32, named name: String) {
        let isName =
            (1...255).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
        precondition(isName, "\(name) is no name for a kept descriptor")
        var descriptors = [descriptor]
        sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=\(name)", &descriptors, 1)
    }

    /// The listener that was kept under `name`, not blocking and not inherited; `nil` when there is none. The caller's from
    /// now on.
    public func takeKeptListener(named name: String) -> Int32? {
        guard let descriptors = self.state.withLock({ $0.kept.removeValue(forKey: name) }) else { return nil }
        for surplus in descriptors.dropFirst() { close(surplus) }
        return descriptors.first
    }

    /// Tells the manager to forget the listener under `name`.
    public func dropKeptListener(named name: String) { sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)") }

    /// Closes kept descriptors that nobody took, and tells the manager to forget them: left over from another version.
    public func dropUntakenListeners() {
        let kept = self.state.withLock { state in
            defer { state.kept = [:] }
            return state.kept
        }
        for (name, descriptors) in kept.sorted(by: { $0.key < $1.key }) {
            self.dropKeptListener(named: name)
            for descriptor in descriptors { close(descriptor) }
        }
    }

    // MARK: The watchdog

    /// From now on the watchdog's beat is sent only while `isAdvancing` says true of this part of the daemon, and of every
    /// other part that was named. Asked on the loop.
    ///
    /// - Parameters:
    ///   - part: what does not advance then, for the log: "ledger disk". Named again, it replaces the former.
    ///   - wedge: makes the part stand still on purpose, for drills.
    public func beat(
        while part: String, wedge: @escaping @Sendable () -> Void = {}, isAdvancing: @escaping @Sendable () -> Bool
    ) {
        self.state.withLock { $0.parts[part] = Part(wedge: wedge, isAdvancing: isAdvancing) }
    }

    /// Makes a part of the daemon stand still, as a dead disk or a deadlock would: the watchdog must notice. Loop only.
    ///
    /// - Returns: whether there is a part of that name.
    public func wedgeForDrill(_ part: String) -> Bool {
        guard let part = self.state.withLock({ $0.parts[part] }) else { return false }
        part.wedge()
        return true
    }

    /// Makes every part stand still that can.
    func wedgeEveryPartForDrill() {
        for part in self.state.withLock(\.parts).keys.sorted() { _ = self.wedgeForDrill(part) }
    }

    /// Starts the beat, at half of the manager's interval, from `loop`'s own timer: a stuck loop falls silent. Loop only.
    func startWatchdog(on loop: EventLoop, logger: Logger) {
        guard let interval = self.watchdogInterval else { return }
        self.beatAndRepeat(every: .microseconds(max(1_000, interval.nanoseconds / 2_000)), on: loop, logger)
    }

    private func beatAndRepeat(every interval: Duration, on loop: EventLoop, _ logger: Logger) {
        if self.isEveryPartAdvancing(logger) { sd_notify(0, "WATCHDOG=1") }
        loop.after(interval) { self.beatAndRepeat(every: interval, on: loop, logger) }
    }

    /// Asks all parts, and says once of each that it stands still.
    private func isEveryPartAdvancing(_ logger: Logger) -> Bool {
        var isWhole = true
        // Asked without the lock: a part may say something here.
        for (name, part) in self.state.withLock(\.parts).sorted(by: { $0.key < $1.key }) {
            let isStuck = !part.isAdvancing()
            if isStuck { isWhole = false }
            guard isStuck != part.isStuck else { continue }
            self.state.withLock { $0.parts[name]?.isStuck = isStuck }
            if isStuck {
                logger.error("The watchdog is not fed: a part does not advance", metadata: ["part": "\(name)"])
            } else {
                logger.notice("A part advances again", metadata: ["part": "\(name)"])
            }
        }
        return isWhole
    }
}
