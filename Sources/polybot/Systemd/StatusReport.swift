import DaemonKit
import Glibc
import Shared

/// What `polybot status` has to tell: the daemons' own answers beside systemd's view of their units.
struct StatusReport {
    /// A status text that is longer than this is cut, in characters.
    private static let statusTextMax = 400

    let picture: Picture
    /// The directory whose sockets were asked.
    let directory: String
    /// What systemd says; empty where the directory is not that of the units, as those are not the daemons that were asked.
    let systemd: Systemctl.Answer
    let now: Instant

    /// Daemons that did not answer.
    var silent: [ChildName] { ChildName.daemons.filter { self.picture.lines[$0]?.isConnected != true } }

    /// Whether neither a daemon answers nor systemd has anything but stopped units.
    var isNothingThere: Bool { self.silent.count == ChildName.daemons.count && !self.systemd.hasSomethingUp }

    /// Why there is nothing, and what to do.
    var nothing: String {
        var text = "No daemon answers in \(self.directory): "
        if self.silent.contains(where: self.isForbidden) {
            text += "\(self.permission)."
        } else {
            let start = self.systemd.units.isEmpty ? "polybot run" : "systemctl start polybot.target or polybot run"
            text += "start them with \(start), or say where they are with --runtime-dir."
        }
        return ([text] + [self.systemd.problem].compactMap { $0 }).joined(separator: " ")
    }

    /// What is not as it should be.
    var problems: [String] {
        var problems = self.silent.map { daemon in
            if self.isForbidden(daemon) { return "\(daemon) does not answer: \(self.permission)." }
            guard let unit = self.systemd.units[daemon] else { return "\(daemon) does not answer." }
            let isActive = unit.active == "active"
            return "\(daemon) does not answer\(isActive ? ", although " : ": ")\(Self.sentence(on: unit, of: daemon))"
        }
        if self.picture.trusted == 0 { problems.append("No book is trusted.") }
        return problems
    }

    /// What a person should know although all may be well.
    var notes: [String] {
        let strangers = ChildName.daemons.compactMap { daemon -> String? in
            guard let line = self.picture.lines[daemon], line.isConnected, let pid = line.pid,
                let unit = self.systemd.units[daemon], unit.pid != pid
            else { return nil }
            return "\(daemon) answers as process \(pid), which is not the unit's: somebody runs it by hand. "
                + Self.sentence(on: unit, of: daemon)
        }
        return strangers + [self.systemd.problem].compactMap { $0 }
    }

    /// Whether the system lets us not connect.
    private func isForbidden(_ daemon: ChildName) -> Bool {
        self.picture.lines[daemon]?.problem == SystemError("connect", code: EACCES).description
    }

    private var permission: String { SocketDirectory.permission(in: self.directory) }

    /// "polybot-feedd.service has failed (exit-code 78: wrong configuration): …"
    private static func sentence(on unit: UnitState, of daemon: ChildName) -> String {
        let failure = unit.failure.map { " (\($0))" } ?? ""
        var text = "\(daemon.unit) "
        switch unit.active {
        case "active": text += "is active" + (unit.pid.map { " as process \($0)" } ?? "")
        case "failed": text += "has failed" + failure
        case "inactive": text += "is stopped"
        case let other: text += "is \(other)/\(unit.sub)" + failure
        }
        if let restarts = unit.restarts, restarts > 0 {
            text += ", restarted \(restarts == 1 ? "once" : "\(restarts) times")"
        }
        let said = Text.fitted(unit.statusText, Self.statusTextMax)
        guard !said.isEmpty && !unit.isInactive else { return text + "." }
        return text + ": " + said + (said.hasSuffix(".") ? "" : ".")
    }

    // MARK: For people

    /// The daemons' rows of the picture.
    var rows: [ChildName: RunView.Child] {
        var rows: [ChildName: RunView.Child] = [:]
        for daemon in ChildName.daemons {
            let line = self.picture.lines[daemon]
            let state = line?.isConnected == true ? "running" : self.isForbidden(daemon) ? "no access" : "no answer"
            rows[daemon] = RunView.Child(
                state: state, pid: line?.pid, restarts: (self.systemd.units[daemon]?.restarts).flatMap(Int.init))
        }
        return rows
    }

    /// systemd's view as a table; empty where there is none.
    var units: [String] {
        guard !self.systemd.units.isEmpty else { return [] }
        func row(_ name: String, _ state: String, _ cells: [String]) -> String {
            Text.left(name, 9) + Text.left(state, 26) + zip(cells, [10, 8, 9, 20]).map { Text.right($0, $1) }.joined()
        }
        var lines = [row("unit", "systemd", ["since", "pid", "restarts", "memory"])]
        for (daemon, unit) in self.systemd.units.sorted(by: { $0.key < $1.key }) {
            lines.append(
                row(
                    daemon.rawValue, "\(unit.active)/\(unit.sub)",
                    [
                        unit.since.map { Text.clock(max(.zero, self.now - $0)) } ?? "-",
                        unit.pid.map { "\($0)" } ?? "-", unit.restarts.map { "\($0)" } ?? "-", Self.memory(of: unit),
                    ]))
            let words = ([unit.failure] + [unit.statusText.isEmpty ? nil : unit.statusText]).compactMap { $0 }
            if !words.isEmpty { lines.append(Text.left("", 9) + words.joined(separator: " · ")) }
        }
        return lines
    }

    /// "12.3 of 512.0 MiB"
    private static func memory(of unit: UnitState) -> String {
        func mebibytes(_ bytes: Int64) -> String {
            "\(Text.count(bytes >> 20)).\(((bytes & 0xF_FFFF) * 10) >> 20)"
        }
        guard let memory = unit.memory else { return "-" }
        return mebibytes(memory) + (unit.memoryMax.map { " of " + mebibytes($0) } ?? "") + " MiB"
    }

    // MARK: For programs

    /// Adds the members that `status` has beyond those of a run.
    func write(to writer: inout JSONWriter) {
        writer.key("runtime_dir")
        writer.string(self.directory)
        writer.key("notes")
        writer.array { for note in self.notes { $0.string(note) } }
        writer.key("systemd")
        writer.object {
            for (daemon, unit) in self.systemd.units.sorted(by: { $0.key < $1.key }) {
                $0.key(dynamic: daemon.rawValue)
                self.write(unit, of: daemon, to: &$0)
            }
        }
    }

    private func write(_ unit: UnitState, of daemon: ChildName, to writer: inout JSONWriter) {
        writer.object { writer in
            for (key, text) in [
                ("active", unit.active), ("sub", unit.sub), ("result", unit.result), ("status", unit.statusText),
            ] as [(StaticString, String)] {
                writer.key(key)
                writer.string(text)
            }
            let line = self.picture.lines[daemon]
            for (key, number) in [
                ("since_s", unit.since.map { max(.zero, self.now - $0).components.seconds }),
                ("restarts", unit.restarts), ("pid", unit.pid), ("answering_pid", line?.pid),
                ("exit_status", unit.exitStatus), ("memory", unit.memory), ("memory_max", unit.memoryMax),
            ] as [(StaticString, Int64?)] {
                writer.key(key)
                if let number { writer.integer(number) } else { writer.null() }
            }
        }
    }
}
