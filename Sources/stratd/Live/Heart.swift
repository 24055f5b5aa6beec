import DaemonKit
import Shared
import Synchronization

/// Tells the venue every five seconds that we live, on a thread of its own, and only while the engine's loop answers: when
/// it stops, the venue cancels all our orders ten seconds later. Source: reference, 2.8.
final class Heart: Sendable {
    static let interval = Duration.seconds(5)
    static let retryPause = Duration.seconds(1)
    /// How lately the engine's loop must have answered.
    static let answerAgeMax = Duration.seconds(2)
    private static let questionInterval = Duration.milliseconds(500)
    /// So many names that nothing of ours explains within a minute, and somebody else beats for the same account.
    static let foreignCountMax = 4
    static let foreignWindow = Duration.seconds(60)

    enum Report: Sendable {
        case beat
        case failed(ClobFailure)
        /// The engine's loop did not answer in time: nothing was sent.
        case withheld
        /// Another process sends heartbeats with the same credentials.
        case foreign
    }

    private let thread: LoopThread
    private let body: Body

    /// Begins to beat.
    ///
    /// - Parameters:
    ///   - engine: the loop that must answer.
    ///   - report: called on `engine`.
    init(
        _ clob: ClobClient, _ credentials: AccountCredentials, engine: EventLoop,
        report: @escaping @Sendable (Report) -> Void
    ) throws(SystemError) {
        let thread = try LoopThread()
        self.thread = thread
        self.body = Body(thread.loop, clob, credentials, engine: engine, report: report)
        thread.loop.execute { [body] in body.assumeIsolated { $0.start() } }
    }

    func stop() { self.thread.loop.execute { [body] in body.assumeIsolated { $0.stop() } } }

    private actor Body {
        private let loop: EventLoop
        private let clob: ClobClient
        private let credentials: AccountCredentials
        private let engine: EventLoop
        private let report: @Sendable (Report) -> Void
        nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

        private let answeredAt: Answered
        private var last = ""
        /// Whether the venue may have given a name since `last` that we were not told: after a start a former process's, then one whose
        /// answer was lost.
        private var isNameLost = true
        private var foreignAt: [Instant] = []
        private var isStopped = false

        final class Answered: Sendable {
            let nanoseconds = Atomic(Instant.now().nanoseconds)
        }

        init(
            _ loop: EventLoop, _ clob: ClobClient, _ credentials: AccountCredentials, engine: EventLoop,
            report: @escaping @Sendable (Report) -> Void
        ) {
            self.loop = loop
            self.clob = clob
            self.credentials = credentials
            self.engine = engine
            self.report = report
            self.answeredAt = Answered()
        }

        func start() {
            self.askEngine()
            self.beat()
        }

        func stop() { self.isStopped = true }

        private func askEngine() {
            guard !self.isStopped else { return }
            self.engine.execute { [answeredAt] in
                answeredAt.nanoseconds.store(Instant.now().nanoseconds, ordering: .relaxed)
            }
            self.loop.after(Heart.questionInterval) { [weak self] in self?.assumeIsolated { $0.askEngine() } }
        }

        private func beat() {
            guard !self.isStopped else { return }
            let answered = Instant(nanoseconds: self.answeredAt.nanoseconds.load(ordering: .relaxed))
            guard Instant.now() - answered <= Heart.answerAgeMax else {
                self.tell(.withheld)
                return self.beatAgain(after: Heart.retryPause)
            }
            Task(executorPreference: self.loop) { await self.send() }
        }

        private func send() async {
            do throws(ClobFailure) {
                self.last = try await self.clob.beat(after: self.last, self.credentials, now: .now())
                self.isNameLost = false
                self.tell(.beat)
                self.beatAgain(after: Heart.interval)
            } catch {
                guard case .staleHeartbeat(let name) = error else {
                    self.isNameLost = self.isNameLost || error.isOutcomeUnknown
                    self.tell(.failed(error))
                    return self.beatAgain(after: Heart.retryPause)
                }
                // When the name is another than we believe again and again, and no lost answer explains it, somebody else has it.
                let isExplained = self.isNameLost
                self.last = name
                self.isNameLost = false
                guard !isExplained else { return self.beatAgain(after: .zero) }
                let now = Instant.now()
                self.foreignAt =
                    self.foreignAt.filter { now - $0 < Heart.foreignWindow }.suffix(Heart.foreignCountMax) + [now]
                if self.foreignAt.count >= Heart.foreignCountMax { self.tell(.foreign) }
                self.beatAgain(after: Heart.retryPause / 4)
            }
        }

        private func beatAgain(after pause: Duration) {
            self.loop.after(pause) { [weak self] in self?.assumeIsolated { $0.beat() } }
        }

        private func tell(_ report: Report) { self.engine.execute { [tell = self.report] in tell(report) } }
    }
}
