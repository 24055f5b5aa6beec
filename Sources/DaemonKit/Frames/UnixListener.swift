import CLinux
import Glibc

/// Why a daemon cannot have its socket.
public enum ListenerError: Error, CustomStringConvertible {
    case pathTooLong(String)
    case inUse(String)
    case notASocket(String)
    case system(String, SystemError)

    public var description: String {
        switch self {
        case .pathTooLong(let path):
            "the socket path \(path) has \(path.utf8.count) bytes; the system allows \(UnixListener.pathByteCountMax): "
                + "choose a shorter --runtime-dir"
        case .inUse(let path): "another process answers on \(path): stop it first, or choose another --runtime-dir"
        case .notASocket(let path): "\(path) is there and is no socket: move it away, or choose another --runtime-dir"
        case .system(let path, let error): "cannot listen on \(path): \(error)"
        }
    }
}

/// A listening Unix socket with its place in the file system.
public struct UnixListener: Sendable {
    /// The file that stands for a socket: a path alone may lead to somebody else's.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        let device: UInt64
        let inode: UInt64

        /// Of the socket at `path`; `nil` when there is none.
        public init?(of path: String) {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
            self.device = UInt64(status.st_dev)
            self.inode = UInt64(status.st_ino)
        }

        /// "26-1042", fit for the name of a kept descriptor.
        public var description: String { "\(self.device)-\(self.inode)" }
    }

    /// `sun_path` less its closing zero.
    public static let pathByteCountMax = 107
    /// Connections that wait to be accepted.
    static let backlog: Int32 = 1_024

    public let descriptor: Int32
    public let path: String
    public let place: Place
    /// Whether the manager keeps the listener beyond this process; then the file stays when the process ends.
    public let isKept: Bool

    /// Binds `path`, taking the place of a socket that nobody answers on.
    ///
    /// - Parameters:
    ///   - mode: permissions of the file, 0o600 or 0o660.
    ///   - group: who gets the file, where this process may give it; `nil` leaves it to the process's own group.
    public static func bind(
        _ path: String, mode: UInt32, group: UInt32? = nil
    ) throws(ListenerError) -> UnixListener {
        guard path.utf8.count <= Self.pathByteCountMax else { throw .pathTooLong(path) }
        if let answering = UnixSocket.connect(path) {
            close(answering)
            throw .inUse(path)
        }
        let refusal = SystemError("connect")
        var status = stat()
        if lstat(path, &status) == 0 {
            // The kernel says the same of a dead socket and of a file that is none.
            guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
            guard refusal.code == ECONNREFUSED else { throw .system(path, refusal) }
            guard unlink(path) == 0 else { throw .system(path, SystemError("unlink")) }
        }
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(path, SystemError("socket")) }
        // The file gets the descriptor's mode at birth: at no moment may anybody else connect.
        fchmod(descriptor, mode)
        let bound = UnixSocket.withAddress(path) { Glibc.bind(descriptor, $0, $1) }
        let error = SystemError("bind")
        guard bound == 0 else {
            close(descriptor)
            throw error.code == EADDRINUSE ? .inUse(path) : .system(path, error)
        }
        if let group { _ = lchown(path, uid_t.max, group) }
        guard chmod(path, mode) == 0, listen(descriptor, Self.backlog) == 0, let place = Place(of: path) else {
            let error = SystemError("listen")
            close(descriptor)
            unlink(path)
            throw .system(path, error)
        }
        return UnixListener(descriptor: descriptor, path: path, place: place, isKept: false)
    }

    /// A listener that the manager kept from the process before, and whose file is at `place`.
    public init(kept descriptor: Int32, path: String, place: Place) {
        self.init(descriptor: descriptor, path: path, place: place, isKept: true)
        _ = clinux_set_nonblocking(descriptor)
    }

    private init(descriptor: Int32, path: String, place: Place, isKept: Bool) {
        self.descriptor = descriptor
        self.path = path
        self.place = place
        self.isKept = isKept
    }

    /// This listener, marked as one that the manager keeps.
    public var kept: UnixListener {
        UnixListener(descriptor: self.descriptor, path: self.path, place: self.place, isKept: true)
    }

    /// Whether whoever connects to the path still reaches this listener.
    public var isInPlace: Bool { Place(of: self.path) == self.place }

    /// Ends listening and removes the file, unless the manager keeps the listener or the file is not its own any more.
    public func stop() {
        if !self.isKept && self.isInPlace { unlink(self.path) }
        close(self.descriptor)
    }
}

/// Plain calls for Unix sockets.
enum UnixSocket {
    /// A connected, non-blocking socket; `nil` with `errno`.
    static func connect(_ path: String) -> Int32? {
        guard path.utf8.count <= UnixListener.pathByteCountMax else {
            errno = ENAMETOOLONG
            return nil
        }
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard Self.withAddress(path, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let code = errno
            close(descriptor)
            errno = code
            return nil
        }
        return descriptor
    }

    static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    /// As `send(2)` without `SIGPIPE`.
    static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
