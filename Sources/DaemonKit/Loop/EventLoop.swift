import CLinux
import Glibc
import HeapModule
public import Shared
import Synchronization

/// One thread, one epoll descriptor: the loop that a daemon lives on.
///
/// It is the `SerialExecutor` of the daemon's actors, so a descriptor's handler enters its actor by `assumeIsolated`,
/// without a hop, and Swift still proves the isolation. As a `TaskExecutor` it takes tasks that belong to no actor yet, so
/// that a daemon never starts the system's pool of threads. Everything marked "loop only" traps when called elsewhere.
public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// What a watched descriptor waits for, and what it got.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let read = Readiness(rawValue: EPOLLIN.rawValue)
        public static let write = Readiness(rawValue: EPOLLOUT.rawValue)
        /// The peer is gone or the descriptor is broken. Always reported, never asked for.
        public static let hangup = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue)
    }

    /// Names a pending timer, for `cancel(_:)`.
    public struct TimerID: Hashable, Sendable { fileprivate let number: UInt64 }

    private struct Deadline: Comparable {
        let at: Instant
        let number: UInt64
        static func < (a: Deadline, b: Deadline) -> Bool { (a.at, a.number) < (b.at, b.number) }
    }

    private enum Pending {
        case job(UnownedJob)
        case work(@Sendable () -> Void)
    }

    /// In a box of its own, as an array of plain functions allocates for each one.
    private struct Deferred {
        let run: () -> Void
    }

    private struct Watch {
        let generation: UInt32
        let handler: (Readiness) -> Void
    }

    /// Events taken from the kernel at a time.
    private static let eventCountMax = 256
    /// Longest sleep; keeps a wrong timer from hanging a daemon for ever.
    private static let sleepMaxMilliseconds = 60_000

    private let epoll: Int32
    private let wakeup: Int32
    private let lock = Mutex()
    /// Guarded by `lock`: what was handed in, in that order, whether by an actor or by `execute(_:)`.
    private var pending: [Pending] = []
    /// Guarded by `lock`: whether the eventfd was written since the loop last drained it.
    private var isWakeupSent = false

    /// The thread that runs the loop, zero while none does: any thread may ask whether it is that one.
    private let thread = Atomic<pthread_t>(0)

    // Loop only, below.
    /// What `pending` held when its turn came; the two change places, so that nothing is allocated.
    private var inHand: [Pending] = []
    private var isRunning = false
    private var watches: [Int32: Watch] = [:]
    private var generation: UInt32 = 0
    private var deadlines = Heap<Deadline>()
    private var timers: [UInt64: () -> Void] = [:]
    private var timerCount: UInt64 = 0
    /// The timers of this round, in their order; kept, so that a round allocates nothing.
    private var firing: [UInt64] = []
    private var deferredWork: [Deferred] = []
    private var runningDeferredWork: [Deferred] = []
    /// Advances once a round; a watchdog reads it as "the loop works".
    public private(set) var roundCount: UInt64 = 0

    /// - Throws: `SystemError` when the kernel gives no descriptors.
    public init() throws(SystemError) {
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw SystemError("epoll_create1") }
        self.wakeup = clinux_eventfd()
        // From here on the end of a half-made loop closes both: twice would be somebody else's.
        guard self.wakeup >= 0 else { throw SystemError("eventfd") }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = UInt64(UInt32(bitPattern: self.wakeup))
        guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.wakeup, &event) == 0 else { throw SystemError("epoll_ctl") }
    }

    deinit {
        close(self.epoll)
        close(self.wakeup)
    }

    // MARK: Running

    /// Runs on the calling thread until `stop()`.
    public func run() {
        precondition(!self.isRunning, "the loop runs already")
        self.thread.store(pthread_self(), ordering: .relaxed)
        self.isRunning = true
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventCountMax)
        while self.isRunning {
            self.runPending()
            self.fireTimers(now: .now())
            self.runDeferred()
            guard self.isRunning else { break }
            let count = epoll_wait(self.epoll, &events, Int32(Self.eventCountMax), self.sleepMilliseconds())
            precondition(count >= 0 || errno == EINTR, "epoll_wait failed: \(SystemError("epoll_wait"))")
            self.roundCount &+= 1
            for index in 0..<max(0, Int(count)) { self.dispatch(events[index]) }
        }
        while self.runPending() {}
        self.runDeferred()
        self.thread.store(0, ordering: .relaxed)
    }

    /// Runs `work` once, at the end of the present round and before the loop sleeps: for what many events of one round
    /// can share, such as one `send` for all that was queued. Loop only.
    public func deferToEndOfRound(_ work: @escaping () -> Void) {
        self.checkIsolatedOrIdle()
        self.deferredWork.append(Deferred(run: work))
    }

    private func runDeferred() {
        while !self.deferredWork.isEmpty {
            // Two arrays change places, so that a round allocates nothing.
            swap(&self.deferredWork, &self.runningDeferredWork)
            for item in self.runningDeferredWork { item.run() }
            self.runningDeferredWork.removeAll(keepingCapacity: true)
        }
    }

    /// Ends `run()` after the present round. From any thread.
    public func stop() {
        self.execute { self.isRunning = false }
    }

    /// Whether the caller is on the loop's thread.
    public var isCurrent: Bool {
        self.thread.load(ordering: .relaxed) == pthread_self()
    }

    // MARK: Work from other threads

    /// Runs `work` on the loop, after what was handed in before. From any thread.
    public func execute(_ work: @escaping @Sendable () -> Void) {
        self.add(.work(work))
    }

    public func enqueue(_ job: consuming ExecutorJob) { self.add(.job(UnownedJob(job))) }

    private func add(_ item: Pending) {
        self.lock.lock()
        self.pending.append(item)
        let mustWake = !self.isWakeupSent
        self.isWakeupSent = true
        self.lock.unlock()
        if mustWake { self.wake() }
    }

    public func checkIsolated() {
        precondition(self.isCurrent, "not on the event loop")
    }

    public func isIsolatingCurrentContext() -> Bool? { self.isCurrent }

    private func wake() {
        var one: UInt64 = 1
        _ = write(self.wakeup, &one, 8)
    }

    /// Runs what was handed in so far. What that hands in waits for the next round, so that actors which keep each other
    /// busy cannot keep descriptors and timers from their turn.
    ///
    /// - Returns: whether there was anything.
    @discardableResult
    private func runPending() -> Bool {
        self.lock.lock()
        swap(&self.pending, &self.inHand)
        self.lock.unlock()
        for index in self.inHand.indices {
            switch self.inHand[index] {
            case .job(let job):
                job.runSynchronously(
                    isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
            case .work(let work): work()
            }
        }
        defer { self.inHand.removeAll(keepingCapacity: true) }
        return !self.inHand.isEmpty
    }

    // MARK: Descriptors (loop only)

    /// Calls `handler` whenever `descriptor` is ready. The descriptor stays the caller's: `unwatch` before closing it.
    public func watch(
        _ descriptor: Int32, for interest: Readiness, _ handler: @escaping (Readiness) -> Void
    ) throws(SystemError) {
        self.checkIsolatedOrIdle()
        precondition(self.watches[descriptor] == nil, "descriptor \(descriptor) is watched already")
        self.generation &+= 1
        var event = self.event(descriptor, interest, self.generation)
        guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw SystemError("epoll_ctl") }
        self.watches[descriptor] = Watch(generation: self.generation, handler: handler)
    }

    /// Changes what a watched descriptor waits for.
    public func change(_ descriptor: Int32, to interest: Readiness) {
        self.checkIsolatedOrIdle()
        guard let watch = self.watches[descriptor] else { return }
        var event = self.event(descriptor, interest, watch.generation)
        epoll_ctl(self.epoll, EPOLL_CTL_MOD, descriptor, &event)
    }

    /// Forgets a descriptor. Events that are already in hand for it are dropped.
    public func unwatch(_ descriptor: Int32) {
        self.checkIsolatedOrIdle()
        guard self.watches.removeValue(forKey: descriptor) != nil else { return }
        epoll_ctl(self.epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    private func event(_ descriptor: Int32, _ interest: Readiness, _ generation: UInt32) -> epoll_event {
        var event = epoll_event()
        event.events = interest.rawValue | EPOLLRDHUP.rawValue
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        return event
    }

    private func dispatch(_ event: epoll_event) {
        let descriptor = Int32(bitPattern: UInt32(truncatingIfNeeded: event.data.u64))
        if descriptor == self.wakeup {
            // Drained first: a wakeup that was sent after the mark is gone must not be swallowed, for the mark would say
            // that one is on its way and nobody would send another.
            var count: UInt64 = 0
            _ = read(self.wakeup, &count, 8)
            self.lock.lock()
            self.isWakeupSent = false
            self.lock.unlock()
            return
        }
        // The number may have been closed and given out again within this round: then the generation differs.
        guard let watch = self.watches[descriptor], watch.generation == UInt32(event.data.u64 >> 32) else { return }
        watch.handler(Readiness(rawValue: event.events))
    }

    // MARK: Timers (loop only)

    /// Calls `handler` once, `delay` from now.
    @discardableResult
    public func after(_ delay: Duration, _ handler: @escaping () -> Void) -> TimerID {
        self.at(Instant.now() + delay, handler)
    }

    /// Calls `handler` once, at `instant` or as soon after it as the loop can.
    @discardableResult
    public func at(_ instant: Instant, _ handler: @escaping () -> Void) -> TimerID {
        self.checkIsolatedOrIdle()
        self.timerCount &+= 1
        self.timers[self.timerCount] = handler
        self.deadlines.insert(Deadline(at: instant, number: self.timerCount))
        return TimerID(number: self.timerCount)
    }

    /// Resumes the caller `duration` from now; cancelling its task does not shorten that. Unlike `Task.sleep` it needs no
    /// thread beside the loop. Loop only.
    public func sleep(for duration: Duration) async {
        await withCheckedContinuation { continuation in
            self.after(duration) { continuation.resume() }
        }
    }

    /// A cancelled timer never fires. Cancelling one that fired is allowed.
    public func cancel(_ timer: TimerID) {
        self.checkIsolatedOrIdle()
        self.timers[timer.number] = nil
        // Cancelled entries leave the heap when their time comes; rebuild it when they outnumber the live ones.
        if self.deadlines.count > 64 && self.deadlines.count > 4 * self.timers.count {
            self.deadlines = Heap(self.deadlines.unordered.filter { self.timers[$0.number] != nil })
        }
    }

    /// Fires what is due. What that arms waits for the next round, however long ago it was due: a handler that arms itself
    /// again and again cannot keep descriptors and jobs from their turn.
    private func fireTimers(now: Instant) {
        while let first = self.deadlines.min, first.at <= now {
            self.deadlines.removeMin()
            self.firing.append(first.number)
        }
        for number in self.firing { self.timers.removeValue(forKey: number)?() }
        self.firing.removeAll(keepingCapacity: true)
    }

    private func sleepMilliseconds() -> Int32 {
        guard let first = self.deadlines.min else { return Int32(Self.sleepMaxMilliseconds) }
        let nanoseconds = max(0, first.at.nanoseconds - Instant.now().nanoseconds)
        return Int32(min(Int64(Self.sleepMaxMilliseconds), (nanoseconds + 999_999) / 1_000_000))
    }

    /// Before `run()` the owner may set things up from its own thread.
    private func checkIsolatedOrIdle() {
        precondition(self.isCurrent || self.thread.load(ordering: .relaxed) == 0, "not on the event loop")
    }
}

/// A plain pthread mutex: the loop's only lock, held for a few instructions.
final class Mutex: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    init() { pthread_mutex_init(self.mutex, nil) }
    deinit {
        pthread_mutex_destroy(self.mutex)
        self.mutex.deallocate()
    }
    func lock() { pthread_mutex_lock(self.mutex) }
    func unlock() { pthread_mutex_unlock(self.mutex) }
}
