import Glibc
import NIOCore
import NIOPosix
import Shared

@main
struct Simvenue {
    private static let exitUsage: Int32 = 64
    private static let exitBug: Int32 = 70
    /// Names the descriptor whose end means that the parent has died.
    static let lifelineVariable = "POLYBOT_LIFELINE_FD"

    static func main() {
        do {
            switch try Flags.parse(Array(CommandLine.arguments.dropFirst())) {
            case .help: Self.write(Flags.program.help + "\n", to: STDOUT_FILENO)
            case .generate(let text): Self.write(Flags.program.text(text), to: STDOUT_FILENO)
            case .version: Self.write(Flags.version + "\n", to: STDOUT_FILENO)
            case .faults: Self.write(FaultTable.text, to: STDOUT_FILENO)
            case .printConfiguration(let flags): Self.write(flags.line, to: STDOUT_FILENO)
            case .run(let flags): exit(try Self.run(flags))
            }
        } catch let problem as Flags.Problem {
            Self.write("simvenue: \(problem.sentence)\n", to: STDERR_FILENO)
            exit(Self.exitUsage)
        } catch {
            Self.write("simvenue: \(error)\n", to: STDERR_FILENO)
            exit(Self.exitBug)
        }
    }

    private static func run(_ flags: Flags) throws -> Int32 {
        let stopSignals = Self.holdStopSignals()
        let lifeline = try Self.lifeline()
        let script = try Self.script(flags)
        let makeCore = try Self.core(flags)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let server: VenueServer
        do {
            server = try VenueServer.start(
                port: flags.port, on: loop, compresses: flags.compresses, script: script, desk: flags.desk,
                makeCore: makeCore
            ).wait()
        } catch {
            throw Flags.Problem(sentence: "cannot listen on \(VenueServer.host), port \(flags.port): \(error)")
        }
        if let lifeline { try Lifeline.watch(lifeline, on: loop) { kill(getpid(), SIGTERM) } }
        Self.write(Self.readyLine(port: server.port), to: STDOUT_FILENO)
        Self.write("simvenue: listening on \(VenueServer.host), port \(server.port)\n", to: STDERR_FILENO)
        Self.wait(for: stopSignals)
        Self.write("simvenue: stopping\n", to: STDERR_FILENO)
        try group.syncShutdownGracefully()
        return 0
    }

    /// All that a daemon's configuration needs.
    private static func readyLine(port: Int) -> String {
        let url = "http://\(VenueServer.host):\(port)"
        var writer = JSONWriter()
        writer.object {
            $0.key("ready")
            $0.bool(true)
            $0.key("port")
            $0.integer(port)
            $0.key("gamma_url")
            $0.string(url)
            $0.key("clob_url")
            $0.string(url)
            $0.key("data_url")
            $0.string(url)
            $0.key("market_ws_url")
            $0.string("ws://\(VenueServer.host):\(port)/ws/market")
            $0.key("user_ws_url")
            $0.string("ws://\(VenueServer.host):\(port)/ws/user")
            $0.key("prices_ws_url")
            $0.string("ws://\(VenueServer.host):\(port)/prices")
            $0.key("binance_ws_url")
            $0.string("ws://\(VenueServer.host):\(port)")
        }
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    /// What is to go wrong and when, read whole like a recording.
    private static func script(_ flags: Flags) throws(Flags.Problem) -> FaultScript {
        guard let path = flags.script else { return .empty }
        let bytes: [UInt8]
        do {
            bytes = try RecordingFile.read(path, byteCountMax: FaultScript.byteCountMax)
        } catch {
            throw Flags.Problem(sentence: "cannot read \(path): \(error.sentence)")
        }
        do {
            return try FaultScript(parsing: bytes)
        } catch {
            throw Flags.Problem(sentence: "cannot follow \(path): \(error.sentence)")
        }
    }

    /// What is to be served. A recording is read whole before anybody is told that we are ready.
    private static func core(_ flags: Flags) throws(Flags.Problem) -> @Sendable (Int64) -> any VenueCore {
        guard let path = flags.replay else { return { SimulatedVenue(flags.settings, at: $0) } }
        do {
            let bytes = try RecordingFile.read(path) { problem in
                Self.write(
                    "simvenue: \(path) is played up to where \(problem.sentence)\n", to: STDERR_FILENO)
            }
            let recording = try Recording(parsing: bytes)
            Self.write(
                "simvenue: \(recording.frames.count) frames of \(recording.marketCount) markets in \(path)\n",
                to: STDERR_FILENO)
            return { ReplayVenue(recording, speed: flags.speed, at: $0) }
        } catch {
            throw Flags.Problem(sentence: "cannot replay \(path): \(error.sentence)")
        }
    }

    // MARK: Signals

    /// Keeps the signals that stop us for `wait(for:)`, in every thread made from now on.
    private static func holdStopSignals() -> sigset_t {
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    private static func wait(for signals: sigset_t) {
        var signals = signals
        var received: Int32 = 0
        while sigwait(&signals, &received) != 0 {}
    }

    // MARK: Surroundings

    private static func lifeline() throws(Flags.Problem) -> CInt? {
        guard let text = getenv(Self.lifelineVariable).map({ String(cString: $0) }), !text.isEmpty else { return nil }
        guard let descriptor = CInt(text), descriptor >= 0, fcntl(descriptor, F_GETFD) >= 0 else {
            throw Flags.Problem(
                sentence: "\(Self.lifelineVariable) must be the number of an open descriptor, not '\(text)'")
        }
        return descriptor
    }

    private static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest.removeFirst(count)
        }
    }
}

/// Notices the end of the parent: the descriptor that it left us comes to its end.
private final class Lifeline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let onEnd: () -> Void

    private init(_ onEnd: @escaping () -> Void) { self.onEnd = onEnd }

    static func watch(_ descriptor: CInt, on loop: any EventLoop, onEnd: @escaping @Sendable () -> Void) throws {
        _ = try NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Lifeline(onEnd))
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor).wait()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    func channelInactive(context: ChannelHandlerContext) { self.onEnd() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
