import DaemonKit
import Glibc
import Logging
import Synchronization

/// A daemon that does nothing but what `PROBE` in its environment says: tests run it as a real process to see what
/// `Daemon.main` does with flags, signals, systemd's variables and a parent that dies.
@main
struct DaemonProbe {
    static func main() {
        Daemon.main("probed", "does what tests ask of it") { context in ProbeService(context) }
    }
}

actor ProbeService: DaemonService {
    private let context: DaemonContext
    private let behaviour: Set<String>
    private var server: FrameServer?
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.context.loop.asUnownedSerialExecutor() }

    init(_ context: DaemonContext) {
        self.context = context
        self.behaviour = Set((context.environment["PROBE"] ?? "").split(separator: ",").map(String.init))
    }

    func start() async throws {
        if self.behaviour.contains("refuse") { throw DaemonExit(.refused, "Trading is not allowed from here.") }
        if self.behaviour.contains("fail") { throw SystemError("bind", code: EADDRINUSE) }
        if self.behaviour.contains("forbidden") { throw SystemError("bind", code: EACCES) }
        if self.behaviour.contains("start-hangs") { await Self.hang(self.context) }
        if self.behaviour.contains("not-advancing") { self.context.notifier.beat(while: "probe") { false } }
        if self.behaviour.contains("drill") { self.drill() }
        if self.behaviour.contains("keep") { try self.keepListener() }
        if self.behaviour.contains("serve") {
            self.server = try self.context.makeServer()
            try self.server?.start()
        }
        if self.behaviour.contains("no-dumps") { try self.context.forbidDumps() }
        if self.behaviour.contains("tell-secrets") {
            let names = ProcessEnvironment.secretNames.filter { self.context.environment[$0] != nil }
            self.context.logger.info("The probe knows secrets", metadata: ["names": "\(names.count)"])
        }
        self.context.logger.info("The probe works", metadata: ["market": "0xabc", "private_key": "hidden"])
        self.context.notifier.status("probing")
        self.context.notifier.ready()
        self.context.notifier.ready()
        if self.behaviour.contains("gives-up") {
            self.context.requestStop(DaemonExit(.refused, "Trading is not allowed any more."))
        }
    }

    func stop() async {
        self.context.logger.info("The probe stops")
        self.server?.stop()
        if self.behaviour.contains("stop-hangs") { await Self.hang(self.context) }
        // As a dead disk would hold it.
        while self.behaviour.contains("stop-blocks") { sleep(1) }
    }

    /// Names two parts and wedges one of them, once both have been seen to advance.
    private func drill() {
        let isStuck = Atomic(false)
        let notifier = self.context.notifier
        notifier.beat(while: "healthy") { true }
        notifier.beat(while: "drilled", wedge: { isStuck.store(true, ordering: .relaxed) }) {
            !isStuck.load(ordering: .relaxed)
        }
        self.context.loop.after(.milliseconds(200)) {
            let isKnown = notifier.wedgeForDrill("drilled") && !notifier.wedgeForDrill("nobody")
            self.context.logger.info("The probe is wedged", metadata: ["known": "\(isKnown)"])
        }
    }

    /// Takes the kept listener, or makes one and leaves it in keeping, and says which.
    private func keepListener() throws {
        if let descriptor = self.context.notifier.takeKeptListener(named: "probed") {
            self.context.logger.info("Took the kept listener", metadata: ["descriptor": "\(descriptor)"])
            return
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        self.context.notifier.keepListener(descriptor, named: "probed")
    }

    /// Never returns, and does not hear of cancellation, while the loop goes on.
    private static func hang(_ context: DaemonContext) async {
        context.logger.info("The probe hangs")
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
}
