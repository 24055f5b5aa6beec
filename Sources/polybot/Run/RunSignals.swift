import CLinux
import DaemonKit
import Glibc

/// The signals that a run listens to, as a descriptor for its loop.
final class RunSignals {
    let descriptor: Int32

    /// Takes SIGINT, SIGTERM, SIGHUP, SIGCHLD and SIGWINCH away from this thread and all that it starts. What the caller
    /// had ignored, as `nohup` does with SIGHUP, stays ignored.
    init() throws(SystemError) {
        // Inherited as "ignored" the kernel would keep no exit of a child for us.
        signal(SIGCHLD, SIG_DFL)
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGWINCH] where !Self.isIgnored(number) {
            sigaddset(&signals, number)
        }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        self.descriptor = clinux_signalfd(&signals)
        guard self.descriptor >= 0 else { throw SystemError("signalfd") }
    }

    /// A blocked signal is queued even when it is ignored, so what our caller ignored must be left out.
    private static func isIgnored(_ number: Int32) -> Bool {
        var present = sigaction()
        guard sigaction(number, nil, &present) == 0 else { return false }
        return unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    deinit { close(self.descriptor) }

    /// Lets signals end this process again, as they would have before. Those that came meanwhile are forgotten.
    func release() {
        while self.next() != nil {}
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// The next signal that came; `nil` when there is none.
    func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(self.descriptor, &information, size) == size else { return nil }
        return Int32(information.ssi_signo)
    }
}
