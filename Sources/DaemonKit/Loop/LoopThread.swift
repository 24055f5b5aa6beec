/// An event loop on a thread of its own, which ends when nobody holds it any more.
public final class LoopThread: Sendable {
    public let loop: EventLoop
    private let thread: WorkerThread

    /// - Throws: when the system has no thread or descriptor left.
    public init() throws(SystemError) {
        let loop = try EventLoop()
        self.loop = loop
        self.thread = try WorkerThread { loop.run() }
    }

    deinit {
        self.loop.stop()
        // What was called last may let go of it last, on the thread itself, which cannot wait for its own end.
        if self.thread.isCurrent { self.thread.detach() } else { self.thread.join() }
    }
}
