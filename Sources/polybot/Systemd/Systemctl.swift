import DaemonKit
import Glibc
import Shared

/// Asks systemd for the daemons' units.
enum Systemctl {
    /// What systemd tells of the daemons' units.
    struct Answer: Hashable {
        /// Those that it knows.
        var units: [ChildName: UnitState] = [:]
        /// Why there is no answer, where there should be one: in a sentence.
        var problem: String?

        /// Whether anything of polybot runs, begins, ends or has failed.
        var hasSomethingUp: Bool { self.units.values.contains { !$0.isInactive } }
    }

    /// How long it may take: one that hangs must not make us hang.
    static let timeMax = Duration.seconds(2)
    /// Three units are some 2 KB.
    static let outputByteCountMax = 64 << 10
    private static let executables = ["/usr/bin/systemctl", "/bin/systemctl"]

    /// Nothing at all where systemd does not run.
    static func ask() -> Answer {
        guard DaemonDirectories.exists("/run/systemd/system"),
            let executable = Self.executables.first(where: { access($0, X_OK) == 0 })
        else {
            return Answer()
        }
        return Self.ask(executable, timeMax: Self.timeMax)
    }

    /// Runs `executable` as if it were systemctl.
    static func ask(_ executable: String, timeMax: Duration) -> Answer {
        let deadline = Instant.now() + timeMax
        let arguments =
            ["show", "--no-pager", "--property=" + UnitState.properties.joined(separator: ",")]
            + ChildName.daemons.map(\.unit)
        let child: ChildProcess
        do {
            child = try ChildProcess.spawn(
                executable, arguments, environment: ProcessEnvironment.current(), lifeline: nil)
        } catch {
            return Answer(problem: "systemctl cannot be run (\(error)).")
        }
        defer {
            close(child.output)
            // Whatever it still does is of no use. Its number is its own until it was waited for.
            if child.takeExit() == nil {
                kill(-child.pid, SIGKILL)
                _ = child.takeExit()
            }
        }
        var output: [UInt8] = []
        guard Self.read(child.output, until: deadline, into: &output) else {
            let seconds = Text.latency(timeMax.nanoseconds / 1_000)
            return Answer(problem: "systemctl gave no answer within \(seconds).")
        }
        let text = String(decoding: output, as: UTF8.self)
        let units = UnitState.all(in: text)
        // Of units that are not there it says at least their names.
        guard units.isEmpty && !text.contains("Id=") else { return Answer(units: units) }
        let said = text.split(separator: "\n").first.map { Text.fitted(String($0), 200) } ?? "nothing"
        return Answer(problem: "systemctl does not tell of the units; it said: \(said)")
    }

    /// Whether all came in time: false for more than there can be as well.
    private static func read(_ descriptor: Int32, until deadline: Instant, into output: inout [UInt8]) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while output.count < Self.outputByteCountMax {
            let rest = deadline - .now()
            guard rest > .zero else { return false }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, Int32(rest.milliseconds + 1)) > 0 else { continue }
            let count = Glibc.read(descriptor, &bytes, bytes.count)
            if count == 0 { return true }
            if count > 0 { output += bytes[..<count] } else if errno != EINTR && errno != EAGAIN { return false }
        }
        return false
    }
}
