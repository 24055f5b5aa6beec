import Glibc

/// A small file that holds a secret. What is read is lent for the time of a call, and wiped.
public enum SecretFile {
    /// Longest secret, in bytes.
    public static let byteCountMax = 4_096

    /// Why one that is there cannot be used. Says nothing of what it holds.
    public enum Problem: Error, Hashable, Sendable {
        case unreadable(String)
        case tooOpen(String)
        case malformed(String)

        /// For a status line.
        public var word: String {
            switch self {
            case .unreadable: "unreadable"
            case .tooOpen: "too open"
            case .malformed: "malformed"
            }
        }

        public var reason: String {
            switch self {
            case .unreadable(let reason), .tooOpen(let reason), .malformed(let reason): reason
            }
        }
    }

    /// Who may read the file.
    public enum Keeper: Sendable {
        /// The service manager's directory: it gives the group what the service needs.
        case manager
        /// A file of the user's own: for this user alone.
        case user
    }

    /// Lends what a file holds.
    ///
    /// - Returns: false when it does not exist.
    public static func read(
        _ path: String, keptBy keeper: Keeper, _ body: (UnsafeBufferPointer<UInt8>) throws(Problem) -> Void
    ) throws(Problem) -> Bool {
        // Not blocking: a pipe of that name must not hold the start up.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw .unreadable("it cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable("it is not a regular file")
        }
        try Self.checkAccess(status, keeper)
        guard status.st_size <= Self.byteCountMax else {
            throw .malformed("it has more than \(Self.byteCountMax) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Self.byteCountMax + 1)
        defer { Self.wipe(&bytes) }
        let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .unreadable("it cannot be read: \(String(cString: strerror(errno)))") }
        guard count <= Self.byteCountMax else { throw .malformed("it has more than \(Self.byteCountMax) bytes") }
        try bytes.withUnsafeBufferPointer { (bytes) throws(Problem) in
            try body(UnsafeBufferPointer(rebasing: bytes[..<count]))
        }
        return true
    }

    /// Whether a file of the user's own is for this user alone.
    public static func checkAccess(file path: String) throws(Problem) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .unreadable("it is gone") }
        try Self.checkAccess(status, .user)
    }

    private static func checkAccess(_ status: stat, _ keeper: Keeper) throws(Problem) {
        let mode = "0" + String(status.st_mode & 0o777, radix: 8)
        switch keeper {
        case .manager:
            guard status.st_mode & 0o007 == 0 else { throw .tooOpen("everybody may use it: its mode is \(mode)") }
        case .user:
            guard status.st_uid == geteuid() else { throw .tooOpen("it belongs to another user") }
            guard status.st_mode & 0o077 == 0 else { throw .tooOpen("its mode is \(mode) and must be 0600") }
        }
    }

    private static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) }
    }
}
