import CLinux
import Glibc

/// A thread for calls that block. It takes no signals: those are the event loop's.
struct WorkerThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let thread: pthread_t

    /// Starts `body` on a new thread. Afterwards either `detach()` or `join()` is to be called, once.
    init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        // The mask is inherited, so not even the thread's first instruction can be interrupted.
        var all = sigset_t()
        var old = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &old)
        defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Body(body))
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard error == 0 else {
            context.release()
            throw SystemError("pthread_create", code: error)
        }
        self.thread = thread
    }

    /// Lets it end by itself.
    func detach() { pthread_detach(self.thread) }

    /// Waits until it has ended.
    func join() { pthread_join(self.thread, nil) }

    var isCurrent: Bool { pthread_equal(self.thread, pthread_self()) != 0 }
}
