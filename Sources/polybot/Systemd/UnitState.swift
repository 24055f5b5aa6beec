import DaemonKit
import Shared

/// How systemd sees one daemon's unit, as `systemctl show` tells it.
struct UnitState: Hashable {
    /// The properties that are asked for; the four times are µs of the monotonic clock.
    static let properties = [
        "Id", "LoadState", "ActiveState", "SubState", "Result", "NRestarts", "MainPID", "MemoryCurrent", "MemoryMax",
        "StatusText", "ExecMainCode", "ExecMainStatus", "ActiveEnterTimestampMonotonic",
        "ActiveExitTimestampMonotonic", "InactiveEnterTimestampMonotonic", "InactiveExitTimestampMonotonic",
    ]
    /// `CLD_EXITED`: the process ended by itself.
    private static let exited: Int64 = 1

    /// "active", "activating", "deactivating", "inactive", "failed" …
    let active: String
    /// "running", "auto-restart", "dead" …
    let sub: String
    /// "success", or in which way it failed: "exit-code", "signal", "watchdog", "oom-kill" …
    let result: String
    /// Restarts that nobody asked for, since the last start that somebody did.
    let restarts: Int64?
    /// `nil` while no process runs.
    let pid: Int64?
    /// Of the last process that has ended: its exit code, or with `wasKilled` the signal.
    let exitStatus: Int64?
    let wasKilled: Bool
    /// Bytes; `nil` where systemd does not count or there is no bound.
    let memory: Int64?
    let memoryMax: Int64?
    /// What the daemon last told systemd.
    let statusText: String
    /// Since when it is `active`, or whatever it is.
    let since: Instant?

    var isInactive: Bool { self.active == "inactive" }

    /// Reads the answer for several units: blocks of "Name=value" with an empty line between them. What is missing or
    /// makes no sense is passed over, and so is a unit that is not loaded.
    static func all(in text: String) -> [ChildName: UnitState] {
        var units: [ChildName: UnitState] = [:]
        var block: [Substring: Substring] = [:]
        func end() {
            if let daemon = block["Id"].flatMap(ChildName.init(unit:)), let unit = UnitState(block) {
                units[daemon] = unit
            }
            block = [:]
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty { end() }
            guard let equals = line.firstIndex(of: "=") else { continue }
            block[line[..<equals]] = line[line.index(after: equals)...]
        }
        end()
        return units
    }

    private init?(_ block: [Substring: Substring]) {
        guard block["LoadState"] == "loaded", let active = block["ActiveState"], !active.isEmpty else { return nil }
        func text(_ name: Substring) -> String { String(block[name] ?? "") }
        // "[not set]", "infinity" and 2⁶⁴ − 1, which means the same, are no numbers of this kind.
        func number(_ name: Substring) -> Int64? { block[name].flatMap { Int64($0) }.flatMap { $0 < 0 ? nil : $0 } }
        self.active = String(active)
        self.sub = text("SubState")
        self.result = text("Result")
        self.restarts = number("NRestarts")
        self.pid = number("MainPID").flatMap { $0 > 0 ? $0 : nil }
        let how = number("ExecMainCode") ?? 0
        self.exitStatus = how > 0 ? number("ExecMainStatus") : nil
        self.wasKilled = how > Self.exited
        self.memory = number("MemoryCurrent")
        self.memoryMax = number("MemoryMax")
        self.statusText = text("StatusText")
        // As `systemctl status` does: entering a state is what counts, and for what passes, leaving the one before.
        let name: Substring =
            switch active {
            case "active", "reloading": "ActiveEnterTimestampMonotonic"
            case "inactive", "failed": "InactiveEnterTimestampMonotonic"
            case "activating": "InactiveExitTimestampMonotonic"
            default: "ActiveExitTimestampMonotonic"
            }
        let microseconds = number(name) ?? 0
        let nanoseconds = microseconds.multipliedReportingOverflow(by: 1_000)
        self.since =
            microseconds > 0 && !nanoseconds.overflow ? Instant(nanoseconds: nanoseconds.partialValue) : nil
    }

    /// "exit-code 78: wrong configuration", "signal 9", "watchdog"; `nil` when nothing went wrong.
    var failure: String? {
        guard !self.result.isEmpty && self.result != "success" else { return nil }
        guard let status = self.exitStatus, self.wasKilled || self.result == "exit-code" else { return self.result }
        if self.wasKilled { return self.result == "signal" ? "signal \(status)" : "\(self.result), signal \(status)" }
        let meaning: String? =
            switch Int32(exactly: status).flatMap(DaemonExit.Code.init(rawValue:)) {
            case .usage?: "wrong usage"
            case .bug?: "a bug"
            case .temporary?: "to be started anew"
            case .refused?: "refused"
            case .configuration?: "wrong configuration"
            case .stopped?, .different?, .unreadable?, .unreachable?, nil: nil
            }
        return "exit-code \(status)" + (meaning.map { ": " + $0 } ?? "")
    }
}

extension ChildName {
    /// The daemon's unit.
    var unit: String { "polybot-\(self.rawValue).service" }

    fileprivate init?(unit: Substring) {
        guard let daemon = Self.daemons.first(where: { $0.unit == unit }) else { return nil }
        self = daemon
    }
}
