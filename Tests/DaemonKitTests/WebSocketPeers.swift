import CLinux
import Glibc

@testable import DaemonKit

/// A server in Python: other people's code at the far end of a real socket. It ends with the test process.
final class PythonPeer: Sendable {
    /// `POLYBOT_TEST_PYTHON`, for a virtual environment that has the package `websockets`.
    static let python = getenv("POLYBOT_TEST_PYTHON").map { String(cString: $0) } ?? "python3"
    static let isAvailable = succeeds([python, "-c", "import ssl"])
    static let hasWebSockets = succeeds([python, "-c", "import websockets"])

    private static let spawning = DaemonKit.Mutex()
    private let process: pid_t
    private let input: Int32
    let port: Int

    /// - Parameter script: a file of `Peers`, which prints its port when it listens.
    init(_ script: String, _ arguments: [String] = []) async throws {
        let path = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/Peers/" + script
        (self.process, self.input, self.port) = try await Result<(pid_t, Int32, Int), SystemError>.onThread {
            () throws(SystemError) in
            var input: [Int32] = [0, 0]
            var output: [Int32] = [0, 0]
            // One at a time: no peer may inherit the pipes of another, whose end it would hide.
            Self.spawning.lock()
            let spawned = Result { () throws(SystemError) in
                guard pipe(&input) == 0, pipe(&output) == 0 else { throw SystemError("pipe") }
                for descriptor in input + output { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
                return try spawn([Self.python, path] + arguments, input: input[0], output: output[1])
            }
            Self.spawning.unlock()
            defer { close(output[0]) }
            close(input[0])
            close(output[1])
            let process = try spawned.get()
            var line = ""
            var byte: UInt8 = 0
            while read(output[0], &byte, 1) == 1, byte != UInt8(ascii: "\n") {
                line.unicodeScalars.append(Unicode.Scalar(byte))
            }
            guard let port = Int(line) else { throw SystemError("the peer \(script) did not start", code: ECHILD) }
            return (process, input[1], port)
        }.get()
    }

    deinit {
        close(self.input)
        kill(self.process, SIGKILL)
        waitpid(self.process, nil, 0)
    }
}

/// Runs a program to its end; whether it exited with 0.
func succeeds(_ arguments: [String]) -> Bool {
    let null = clinux_open("/dev/null", O_RDWR, 0)
    defer { close(null) }
    guard let process = try? spawn(arguments, input: null, output: null, errors: null) else { return false }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return clinux_wifexited(status) != 0 && clinux_exit_status(status) == 0
}

func spawn(
    _ arguments: [String], input: Int32, output: Int32, errors: Int32? = nil
) throws(SystemError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    if let errors { posix_spawn_file_actions_adddup2(&actions, errors, 2) }
    // A test of signals may have blocked some in this process, and the child must end when it is told so.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var reset = sigset_t()
    sigemptyset(&reset)
    sigaddset(&reset, SIGTERM)
    posix_spawnattr_setsigdefault(&attributes, &reset)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let words = arguments.map { strdup($0) }
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let error = posix_spawnp(&process, arguments[0], &actions, &attributes, words + [nil], Glibc.environ)
    guard error == 0 else { throw SystemError("posix_spawnp \(arguments[0])", code: error) }
    return process
}

extension Result where Failure: Error, Success: Sendable {
    /// Calls `body`, which may block, on a thread of its own.
    static func onThread(_ body: @escaping @Sendable () throws(Failure) -> Success) async -> Result<Success, Failure> {
        await withCheckedContinuation { continuation in
            do {
                try WorkerThread { continuation.resume(returning: Result(catching: body)) }.detach()
            } catch {
                fatalError("no thread: \(error)")
            }
        }
    }
}

/// A server in a few lines on a thread: it does to a connection what no server library would.
final class RawServer: Sendable {
    let port: Int
    private let listener: Int32
    private let thread: WorkerThread

    /// - Parameter handle: called for one connection after the other; the descriptor is closed when it returns.
    init(_ handle: @escaping @Sendable (RawConnection) -> Void) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(listener, $0, size) == 0, listen(listener, 8) == 0, getsockname(listener, $0, &size) == 0
                else { return 0 }
                return 1
            }
        }
        guard port == 1 else { throw SystemError("listen") }
        self.listener = listener
        self.port = Int(UInt16(bigEndian: address.sin_port))
        self.thread = try WorkerThread {
            while true {
                var readiness = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                guard poll(&readiness, 1, -1) == 1 else { return }
                let descriptor = clinux_accept(listener)
                guard descriptor >= 0 else { return }
                _ = fcntl(descriptor, F_SETFL, 0)
                // No test may hang on a client that does not speak.
                var limit = timeval(tv_sec: 60, tv_usec: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                handle(RawConnection(descriptor: descriptor))
                close(descriptor)
            }
        }
    }

    deinit {
        shutdown(self.listener, Int32(SHUT_RDWR))
        self.thread.join()
        close(self.listener)
    }
}

struct RawConnection {
    let descriptor: Int32

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func send(_ text: String) { self.send(Array(text.utf8)) }

    /// Reads until the bytes contain `end`, or the client ends.
    func receive(until end: String) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while recv(self.descriptor, &byte, 1, 0) == 1 {
            bytes.append(byte)
            if byte == end.utf8.last && bytes.suffix(end.utf8.count).elementsEqual(end.utf8) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads until the client ends the connection, or until the bytes are as wanted.
    func waitForEnd(or isEnough: ([UInt8]) -> Bool = { _ in false }) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !isEnough(bytes) {
            let count = recv(self.descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }

    /// Reads an upgrade request and gives the right answer to it, to be sent by the caller.
    func upgrade() -> [UInt8] {
        let request = self.receive(until: "\r\n\r\n")
        let mark = "Sec-WebSocket-Key: "
        let line = request.split(separator: "\r\n").first { $0.hasPrefix(mark) } ?? ""
        let accept = WebSocketHandshake.accept(for: String(line.dropFirst(mark.count)))
        let head =
            "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n"
        return Array(head.utf8)
    }

    /// The next close throws the connection away with a reset.
    func resetOnClose() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
}

/// A certificate for 127.0.0.1 that signs itself, in a directory of its own.
final class TestCertificate: Sendable {
    let directory: String
    var certificate: String { self.directory + "/certificate.pem" }
    var key: String { self.directory + "/key.pem" }

    static let isAvailable = succeeds(["openssl", "version"])

    init() throws {
        var template = Array("/tmp/polybot-tls-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        self.directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        let made = succeeds([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=polybot test", "-addext", "subjectAltName=IP:127.0.0.1", "-out",
            self.directory + "/certificate.pem",
            "-keyout", self.directory + "/key.pem",
        ])
        guard made else { throw SystemError("openssl req", code: ENOENT) }
    }

    deinit {
        unlink(self.certificate)
        unlink(self.key)
        rmdir(self.directory)
    }
}

/// Runs `body` on a thread with an event loop, until it calls what it is given with the result. Nil: `limit` has passed.
func onLoop<Value: Sendable>(
    within limit: Duration = .seconds(20),
    _ body: @escaping @Sendable (EventLoop, @escaping (Value) -> Void) throws -> Void
) async throws -> Value? {
    try await Result<Value?, any Error>.onThread {
        let loop = try EventLoop()
        var result: Value?
        loop.after(limit) { loop.stop() }
        try body(loop) {
            result = $0
            loop.stop()
        }
        loop.run()
        return result
    }.get()
}
