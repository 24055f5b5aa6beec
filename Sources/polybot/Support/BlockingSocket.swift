import Glibc

/// A plain Unix connection for a command that does one thing after the other.
enum BlockingSocket {
    /// Bytes of a socket's path.
    private static let pathByteCountMax = 107

    /// A connected socket, or `nil` with `errno`. The caller closes it.
    static func connect(_ path: String) -> Int32? { Self.connect(path, flags: 0) }

    /// Whether somebody listens on the socket, be it one who does not let us in. Never waits.
    static func isServed(_ path: String) -> Bool {
        guard let descriptor = Self.connect(path, flags: Int32(SOCK_NONBLOCK.rawValue)) else {
            // EAGAIN: so many wait already that there is no room for one more.
            return errno == EACCES || errno == EAGAIN
        }
        close(descriptor)
        return true
    }

    private static func connect(_ path: String, flags: Int32) -> Int32? {
        guard path.utf8.count <= Self.pathByteCountMax else {
            errno = ENAMETOOLONG
            return nil
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) | flags, 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            errno = code
            return nil
        }
        return descriptor
    }
}
