import CLinux
import Glibc
public import Logging

/// The version of all programs of the project.
public let polybotVersion = "0.1.0"

/// What a daemon does, as an actor whose `unownedExecutor` is `DaemonContext.loop`.
public protocol DaemonService: Sendable {
    /// Opens everything and returns. A start that throws has cleaned up behind itself; throw `DaemonExit` to choose the
    /// code and the sentence. Its task is cancelled when the daemon must stop meanwhile.
    func start() async throws
    /// Closes everything, from last to first. May come while `start()` still waits for something.
    func stop() async
}

/// What a service gets to work with.
public struct DaemonContext: Sendable {
    /// "feedd".
    public let name: String
    public let version: String
    /// New at every start: sixteen hexadecimal digits.
    public let instance: String
    public let loop: EventLoop
    public let configuration: Configuration
    public let runtimeDirectory: String
    public let stateDirectory: String
    private let peersDirectory: String
    /// The process's environment at the start, without the secrets that this daemon does not use.
    public let environment: [String: String]
    /// What was said to the daemon's own flags, by their names: "--replay".
    public let flags: [String: String]
    public let logger: Logger
    public let notifier: Notifier
    private let stopRequest: @Sendable (DaemonExit) -> Void

    /// - Parameter stopRequest: what `requestStop(_:)` does.
    public init(
        name: String, loop: EventLoop, configuration: Configuration, directories: DaemonDirectories,
        environment: [String: String], flags: [String: String] = [:], logger: Logger, notifier: Notifier,
        stopRequest: @escaping @Sendable (DaemonExit) -> Void
    ) {
        self.name = name
        self.version = polybotVersion
        self.instance = Self.newInstance()
        self.loop = loop
        self.configuration = configuration
        self.runtimeDirectory = directories.runtime
        self.stateDirectory = directories.state
        self.peersDirectory = directories.peers
        self.environment = environment
        self.flags = flags
        self.logger = logger
        self.notifier = notifier
        self.stopRequest = stopRequest
    }

    /// The path of a daemon's socket, "feedd" for `…/feedd.sock`: this one's own in the runtime directory, another's where
    /// the peers are.
    public func socketPath(of daemon: String) -> String {
        "\(daemon == self.name ? self.runtimeDirectory : self.peersDirectory)/\(daemon).sock"
    }

    /// Makes the runtime directory again where somebody has removed it.
    func createRuntimeDirectory() throws(DaemonExit) { try DaemonDirectories.create(self.runtimeDirectory) }

    /// Stops in order, then exits with the code and the sentence. From any thread; the first request counts.
    public func requestStop(_ exit: DaemonExit) { self.stopRequest(exit) }

    /// Keeps this process's memory out of core dumps and away from debuggers: call it before a secret is read.
    ///
    /// - Throws: when the system refuses.
    public func forbidDumps() throws(SystemError) {
        guard clinux_forbid_dumps() == 0 else { throw SystemError("prctl") }
    }

    private static func newInstance() -> String {
        var random = SystemRandomNumberGenerator()
        let digits = String(random.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
