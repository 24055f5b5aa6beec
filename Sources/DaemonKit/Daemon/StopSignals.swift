import CLinux
import Glibc

/// SIGTERM, SIGINT and SIGHUP, and SIGUSR1 and SIGUSR2 for drills, as a descriptor for the loop, so that no code ever runs inside a signal handler.
final class StopSignals: Sendable {
    let descriptor: Int32
    /// Whether the loss of the terminal is meant for us.
    let hasTerminal: Bool

    /// Blocks the signals for the calling thread and every thread it will start.
    ///
    /// - Throws: code 70 when the system gives no descriptor.
    init() throws(DaemonExit) {
        self.hasTerminal = (Int32(0)...2).contains { isatty($0) == 1 }
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2] { sigaddset(&set, signal) }
        guard pthread_sigmask(SIG_BLOCK, &set, nil) == 0 else { throw DaemonExit(.bug, "Signals cannot be blocked.") }
        self.descriptor = clinux_signalfd(&set)
        guard self.descriptor >= 0 else {
            throw DaemonExit(.bug, "Signals cannot be read: \(SystemError("signalfd")).")
        }
    }

    deinit { close(self.descriptor) }

    /// The next signal that came; `nil` when there is none.
    func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(self.descriptor, &information, size) == size else { return nil }
        return Int32(information.ssi_signo)
    }

    static func name(_ signal: Int32) -> String {
        switch signal {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGHUP: "SIGHUP"
        case SIGUSR1: "SIGUSR1"
        case SIGUSR2: "SIGUSR2"
        default: "signal \(signal)"
        }
    }
}

/// A pipe whose other end the parent holds: its end of file says that the parent is gone.
enum Lifeline {
    /// The descriptor that `POLYBOT_LIFELINE_FD` names; `nil` when it is not set.
    ///
    /// - Throws: code 78 when it names nothing.
    static func descriptor(in environment: [String: String]) throws(DaemonExit) -> Int32? {
        guard let text = environment["POLYBOT_LIFELINE_FD"], !text.isEmpty else { return nil }
        guard let descriptor = Int32(text), descriptor > 2, fcntl(descriptor, F_GETFD) >= 0 else {
            throw DaemonExit(
                .configuration,
                "POLYBOT_LIFELINE_FD is \"\(ConfigurationText.cut(text))\", which is no open descriptor above 2.")
        }
        // Our children are not the parent's.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    /// Takes what is there. Whether the other end is closed.
    static func hasEnded(_ descriptor: Int32) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
    }
}
