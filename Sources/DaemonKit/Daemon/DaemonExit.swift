/// Why a daemon ends, other than by being asked to: throw it from `DaemonService.start()`, or give it to
/// `DaemonContext.requestStop(_:)`.
public struct DaemonExit: Error, Equatable, CustomStringConvertible {
    /// The exit codes that systemd units and scripts rely on.
    public enum Code: Int32, Sendable {
        /// Stopped as asked.
        case stopped = 0
        /// What was compared is not equal. Commands only.
        case different = 1
        /// The command line cannot be understood.
        case usage = 64
        /// What was to be read is not what it should be. Commands only.
        case unreadable = 65
        /// What the daemon must reach is not there. Commands only: a daemon waits instead.
        case unreachable = 69
        /// A bug, or a stop that never ended.
        case bug = 70
        /// What the daemon needs is gone for this process and may be there for the next: systemd restarts.
        case temporary = 75
        /// Refused: permissions, or a place from which trading is not allowed.
        case refused = 77
        /// The configuration is wrong. systemd must not restart.
        case configuration = 78
    }

    public let code: Code
    /// What happened and what to do now, in one sentence.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
