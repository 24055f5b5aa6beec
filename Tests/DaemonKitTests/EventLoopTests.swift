import CLinux
import Glibc
import Shared
import Synchronization
import Testing

@testable import DaemonKit

extension LoopThread {
    /// Calls `body` on the loop and waits for what it returns.
    func call<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.loop.execute { [loop] in continuation.resume(with: Result { try body(loop) }) }
        }
    }
}

/// An actor that lives on a loop, as every daemon's service does.
private actor Counter {
    private let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }
    private(set) var count = 0
    private(set) var wasElsewhere = false

    init(_ loop: EventLoop) { self.loop = loop }

    func increment() {
        self.count += 1
        if !self.loop.isCurrent { self.wasElsewhere = true }
    }

    fileprivate func note(_ name: String, in notes: Notes) { notes.names.append(name) }

    /// Hands itself in again and again, as work that waits for its turn does.
    func spin(until isDone: @Sendable () -> Bool) async {
        while !isDone() { await Task.yield() }
    }
}

/// Set once, from any thread.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { self.value.load(ordering: .acquiring) }
    func set() { self.value.store(true, ordering: .releasing) }
}

/// What handlers noted; they run on the loop alone, which is what the thread sanitizer checks here.
private final class Notes: @unchecked Sendable {
    var names: [String] = []
}

/// Holds a thread up until it is opened.
private final class Gate: Sendable {
    private let pipe = try! Pipe()
    func wait() { _ = take(from: self.pipe.output) }
    func open() { put(1, into: self.pipe.input) }
}

/// Both ends of a pipe.
private struct Pipe: ~Copyable {
    let output: Int32
    let input: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (self.output, self.input) = (ends[0], ends[1])
    }

    deinit {
        close(self.output)
        close(self.input)
    }
}

/// Asks `condition` until it holds; false when that takes longer than `limit`. On a busy machine one look may take as long
/// as that: so it looks a number of times in any case.
func eventually(within limit: Duration = .seconds(60), _ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + limit
    var lookCount = 0
    while try await !condition() {
        lookCount += 1
        if lookCount > 100 && ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}

private func put(_ byte: UInt8, into descriptor: Int32) {
    var byte = byte
    _ = write(descriptor, &byte, 1)
}

private func take(from descriptor: Int32) -> UInt8? {
    var byte: UInt8 = 0
    return read(descriptor, &byte, 1) == 1 ? byte : nil
}

struct EventLoopTests {
    // MARK: Isolation

    @Test func anActorOnTheLoopRunsOnItsThreadWhoeverCalls() async throws {
        let thread = try LoopThread()
        let counter = Counter(thread.loop)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<500 { await counter.increment() } } }
        }
        #expect(await counter.count == 4_000)
        #expect(await !counter.wasElsewhere)
    }

    @Test func aDescriptorsHandlerEntersAnActorWithoutAHop() async throws {
        let thread = try LoopThread()
        let counter = Counter(thread.loop)
        let pipe = try Pipe()
        let output = pipe.output
        try await thread.call { loop in
            try loop.watch(output, for: .read) { _ in
                _ = take(from: output)
                counter.assumeIsolated { $0.increment() }
            }
        }
        // From threads of the pool, while the loop's own thread counts: a race would be one that the sanitizer sees.
        for _ in 0..<100 {
            put(1, into: pipe.input)
            await counter.increment()
        }
        #expect(await eventually { await counter.count == 200 })
        try await thread.call { $0.unwatch(output) }
    }

    @Test func everyThreadMayAskWhetherItIsTheLoops() async throws {
        let thread = try LoopThread()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<1_000 where thread.loop.isCurrent || thread.loop.isIsolatingCurrentContext() == true {
                        return true
                    }
                    return false
                }
            }
            for await wasMistaken in group { #expect(!wasMistaken) }
        }
        #expect(try await thread.call { $0.isCurrent && $0.isIsolatingCurrentContext() == true })
    }

    // MARK: Work that is handed in

    @Test func workRunsInTheOrderInWhichItWasHandedIn() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        for number in 0..<1_000 { thread.loop.execute { notes.names.append("\(number)") } }
        #expect(try await thread.call { _ in notes.names } == (0..<1_000).map { "\($0)" })
    }

    @Test func anActorsJobsAndOtherWorkKeepTheirOrderAmongThemselves() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let first = Gate()
        // The job is handed in while the loop is held up, the work after it: so the job's turn comes first.
        thread.loop.execute { first.wait() }
        let counter = Counter(thread.loop)
        let job = Task.immediate { await counter.note("job", in: notes) }
        thread.loop.execute { notes.names.append("work") }
        first.open()
        await job.value
        #expect(try await thread.call { _ in notes.names } == ["job", "work"])
    }

    @Test func noWakeUpIsLostHoweverManyThreadsHandWorkIn() async throws {
        let thread = try LoopThread()
        let rounds = 2_000
        // Each waits for its own work before it hands in more, so the loop falls asleep over and over; nothing but a
        // wake-up ends that sleep.
        let done = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var done = 0
                    for _ in 0..<rounds {
                        await withCheckedContinuation { continuation in
                            thread.loop.execute { continuation.resume() }
                        }
                        done += 1
                    }
                    return done
                }
            }
            return await group.reduce(0, +)
        }
        #expect(done == 4 * rounds)
    }

    @Test func workThatAlwaysHandsInMoreLeavesTimersAndDescriptorsTheirTurn() async throws {
        let thread = try LoopThread()
        let counter = Counter(thread.loop)
        let flag = Flag()
        let spinning = Task { await counter.spin { flag.isSet } }
        try await thread.call { loop in _ = loop.after(.milliseconds(5)) { flag.set() } }
        await spinning.value
        #expect(flag.isSet)
    }

    @Test func stoppingEndsTheLoopAfterWhatWasHandedInBefore() async throws {
        let loop = try EventLoop()
        let notes = Notes()
        loop.execute { notes.names.append("before") }
        loop.stop()
        loop.execute { notes.names.append("after") }
        loop.run()
        #expect(notes.names == ["before", "after"])
        #expect(!loop.isCurrent)
    }

    @Test func aStoppedLoopRunsAgain() async throws {
        let loop = try EventLoop()
        let notes = Notes()
        for name in ["first", "second"] {
            loop.after(.milliseconds(1)) {
                notes.names.append(name)
                loop.stop()
            }
            loop.run()
        }
        #expect(notes.names == ["first", "second"])
    }

    // MARK: Timers

    @Test func timersFireByTimeAndThenByAge() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let hasEnded = Flag()
        try await thread.call { loop in
            let now = Instant.now()
            loop.at(now + .milliseconds(3)) { hasEnded.set() }
            loop.at(now + .milliseconds(2)) { notes.names.append("c") }
            loop.at(now + .milliseconds(1)) { notes.names.append("a") }
            loop.at(now + .milliseconds(1)) { notes.names.append("b") }
            loop.at(now + .seconds(-1)) { notes.names.append("past") }
        }
        #expect(await eventually { hasEnded.isSet })
        #expect(try await thread.call { _ in notes.names } == ["past", "a", "b", "c"])
    }

    @Test func aCancelledTimerNeverFiresNotEvenFromOneOfTheSameMoment() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let hasEnded = Flag()
        try await thread.call { loop in
            let soon = Instant.now() + .milliseconds(2)
            var second: EventLoop.TimerID?
            loop.at(soon) {
                notes.names.append("first")
                if let second { loop.cancel(second) }
            }
            second = loop.at(soon) { notes.names.append("second") }
            let third = loop.at(soon) { notes.names.append("third") }
            loop.cancel(third)
            loop.cancel(third)
            loop.at(soon + .milliseconds(1)) { hasEnded.set() }
        }
        #expect(await eventually { hasEnded.isSet })
        #expect(try await thread.call { _ in notes.names } == ["first"])
    }

    @Test func manyTimersMostOfThemCancelledFireInOrder() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let hasEnded = Flag()
        let expected = try await thread.call { loop in
            var random = SeededRandom(seed: 11)
            let start = Instant.now()
            var kept: [(at: Instant, number: Int)] = []
            for number in 0..<5_000 {
                let at = start + .microseconds(Int64.random(in: 0..<20_000, using: &random))
                let timer = loop.at(at) { notes.names.append("\(number)") }
                if number % 10 == 0 { kept.append((at, number)) } else { loop.cancel(timer) }
            }
            loop.at(start + .milliseconds(20)) { hasEnded.set() }
            return kept.sorted { ($0.at, $0.number) < ($1.at, $1.number) }.map { "\($0.number)" }
        }
        #expect(await eventually { hasEnded.isSet })
        #expect(try await thread.call { _ in notes.names } == expected)
    }

    /// A handler that wants to be called again at once, for as long as somebody else has not had a turn.
    @Test func aTimerThatIsArmedInThePastAgainAndAgainKeepsNobodyFromTheirTurn() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let (hasStarted, isHeard, hasEnded) = (Flag(), Flag(), Flag())
        try await thread.call { loop in
            let past = Instant.now() + .seconds(-1)
            loop.at(Instant.now() + .milliseconds(1)) { notes.names.append("other") }
            @Sendable func again() {
                notes.names.append("again")
                if !hasStarted.isSet { loop.execute { isHeard.set() } }
                hasStarted.set()
                if isHeard.isSet || notes.names.count > 100_000 { return hasEnded.set() }
                loop.at(past) { again() }
            }
            loop.at(past) { again() }
        }
        #expect(await eventually { hasEnded.isSet })
        let names = try await thread.call { _ in notes.names }
        #expect(isHeard.isSet && names.count { $0 == "again" } == 2, "\(names.count) turns")
        // Whoever was due before gets it too.
        #expect(try await eventually { try await thread.call { _ in notes.names.contains("other") } })
    }

    @Test func aTimerMayCancelOneThatIsDueInTheSameRound() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let hasEnded = Flag()
        try await thread.call { loop in
            let past = Instant.now() + .seconds(-1)
            var second: EventLoop.TimerID?
            loop.at(past) {
                notes.names.append("first")
                // So many that what is cancelled is cleared away, while the others of this round wait for their turn.
                for _ in 0..<500 { loop.cancel(loop.after(.seconds(60)) {}) }
                if let second { loop.cancel(second) }
            }
            second = loop.at(past) { notes.names.append("second") }
            loop.at(past) {
                notes.names.append("third")
                hasEnded.set()
            }
        }
        #expect(await eventually { hasEnded.isSet })
        #expect(try await thread.call { _ in notes.names } == ["first", "third"])
    }

    // MARK: Descriptors

    @Test func aHandlerMayForgetItsOwnAndOthersDescriptors() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let first = try Pipe()
        let second = try Pipe()
        let (a, b) = (first.output, second.output)
        let (intoA, intoB) = (first.input, second.input)
        try await thread.call { loop in
            for (descriptor, other) in [(a, b), (b, a)] {
                try loop.watch(descriptor, for: .read) { _ in
                    notes.names.append(descriptor == a ? "a" : "b")
                    loop.unwatch(descriptor)
                    loop.unwatch(other)
                }
            }
            // Both are ready before the loop looks: whichever is served first silences the other.
            put(1, into: intoA)
            put(1, into: intoB)
        }
        #expect(try await eventually { try await thread.call { _ in notes.names.count } == 1 })
        for _ in 0..<3 { try await thread.call { _ in } }
        #expect(try await thread.call { _ in notes.names.count } == 1)
    }

    @Test func anEventInHandDoesNotReachTheNextOwnerOfItsNumber() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let quiet = try Pipe()
        let quietEnd = quiet.output
        // Two sockets that are ready in the same round. Whoever is served first closes the other one and gives its number
        // to a descriptor on which nothing has happened.
        let numbers = try await thread.call { loop in
            var pairs = [[Int32]](repeating: [0, 0], count: 2)
            for index in pairs.indices {
                guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pairs[index]) == 0
                else {
                    throw SystemError("socketpair")
                }
            }
            let ready = pairs.map { $0[0] }
            for (descriptor, other) in [(ready[0], ready[1]), (ready[1], ready[0])] {
                try loop.watch(descriptor, for: .read) { _ in
                    notes.names.append("ready")
                    loop.unwatch(descriptor)
                    loop.unwatch(other)
                    dup2(quietEnd, other)
                    do {
                        try loop.watch(other, for: .read) { _ in notes.names.append("quiet") }
                    } catch {
                        notes.names.append("\(error)")
                    }
                }
            }
            for pair in pairs { put(1, into: pair[1]) }
            return pairs.flatMap { $0 }
        }
        #expect(try await eventually { try await thread.call { _ in !notes.names.isEmpty } })
        for _ in 0..<3 { try await thread.call { _ in } }
        #expect(try await thread.call { _ in notes.names } == ["ready"])
        try await thread.call { loop in
            for number in numbers {
                loop.unwatch(number)
                close(number)
            }
        }
    }

    @Test func aHangUpIsToldWithoutBeingAskedFor() async throws {
        let thread = try LoopThread()
        let isTold = Flag()
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        let own = ends[0]
        try await thread.call { loop in
            try loop.watch(own, for: []) { readiness in
                if !readiness.isDisjoint(with: .hangup) { isTold.set() }
                loop.unwatch(own)
            }
        }
        close(ends[1])
        #expect(await eventually { isTold.isSet })
        close(own)
    }

    // MARK: Ends of rounds

    @Test func workOfTheEndOfARoundComesAfterAllThatWasReady() async throws {
        let thread = try LoopThread()
        let notes = Notes()
        let first = try Pipe()
        let second = try Pipe()
        let (a, b) = (first.output, second.output)
        let (intoA, intoB) = (first.input, second.input)
        let hasEnded = Flag()
        try await thread.call { loop in
            for descriptor in [a, b] {
                try loop.watch(descriptor, for: .read) { _ in
                    _ = take(from: descriptor)
                    notes.names.append("ready")
                    loop.deferToEndOfRound {
                        notes.names.append("end")
                        loop.deferToEndOfRound {
                            notes.names.append("very end")
                            if notes.names.count == 6 { hasEnded.set() }
                        }
                    }
                }
            }
            put(1, into: intoA)
            put(1, into: intoB)
        }
        #expect(await eventually { hasEnded.isSet })
        #expect(
            try await thread.call { _ in notes.names } == ["ready", "ready", "end", "end", "very end", "very end"])
        try await thread.call { loop in for descriptor in [a, b] { loop.unwatch(descriptor) } }
    }
}
