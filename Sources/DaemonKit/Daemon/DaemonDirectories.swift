import CLinux
import Glibc

/// Where a daemon keeps its sockets and what must outlive it.
public struct DaemonDirectories: Equatable, Sendable {
    public let runtime: String
    public let state: String
    /// Where the other daemons have their sockets: the runtime directory, but for one that runs beside a running rest.
    public let peers: String

    /// Longest path that the system takes for a Unix socket, in bytes.
    public static let socketPathByteCountMax = 107
    /// The longest name of our sockets: every daemon opens those of others beside its own.
    private static let longestSocketName = "strategy.sock"

    /// Chooses: what flags say, as given; else what systemd says; else the user's own directories.
    ///
    /// - Parameter peersFlag: where the others' sockets are, when not in the runtime directory.
    /// - Throws: code 78 when no home is known, or when a socket's path would be too long.
    public init(
        runtimeFlag: String?, stateFlag: String?, peersFlag: String? = nil, environment: [String: String],
        user: UInt32, directoryExists: (String) -> Bool = Self.exists
    ) throws(DaemonExit) {
        if let given = runtimeFlag ?? Self.first(environment["RUNTIME_DIRECTORY"]) {
            self.runtime = given
        } else if let base = Self.absolute(environment["XDG_RUNTIME_DIR"]) {
            self.runtime = base + "/polybot"
        } else if directoryExists("/run/user/\(user)") {
            self.runtime = "/run/user/\(user)/polybot"
        } else {
            self.runtime = "/tmp/polybot-\(user)"
        }
        if let given = stateFlag ?? Self.first(environment["STATE_DIRECTORY"]) {
            self.state = given
        } else if let base = Self.absolute(environment["XDG_STATE_HOME"]) {
            self.state = base + "/polybot"
        } else if let home = Self.absolute(environment["HOME"]) {
            self.state = home + "/.local/state/polybot"
        } else {
            throw DaemonExit(.configuration, "There is no $HOME to keep state in: give a directory with --state-dir.")
        }
        self.peers = peersFlag ?? self.runtime
        try Self.check(self.runtime, flag: "--runtime-dir")
        try Self.check(self.peers, flag: "--peers-dir")
    }

    /// - Throws: code 78 when a socket's path in `directory` would be too long.
    private static func check(_ directory: String, flag: String) throws(DaemonExit) {
        let longest = directory + "/" + Self.longestSocketName
        guard longest.utf8.count <= Self.socketPathByteCountMax else {
            throw DaemonExit(
                .configuration,
                """
                The socket path \(longest) has \(longest.utf8.count) bytes, and the system takes \
                \(Self.socketPathByteCountMax): choose a shorter \(flag).
                """)
        }
    }

    /// Creates what is missing, for the owner alone.
    ///
    /// - Throws: code 77 when that is not possible, or when a directory in `/tmp` belongs to somebody else.
    public func create() throws(DaemonExit) {
        for directory in [self.runtime, self.state] { try Self.create(directory) }
    }

    /// Creates one directory where it is missing; see `create()`.
    static func create(_ path: String) throws(DaemonExit) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let prefix = String(path[..<end])
            if Self.exists(prefix) || mkdir(prefix, 0o700) == 0 || errno == EEXIST { continue }
            throw DaemonExit(.refused, "The directory \(prefix) cannot be created: \(Self.reason()).")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw DaemonExit(.refused, "The directory \(path) cannot be used: \(Self.reason()).")
        }
        // Where everybody may write, somebody else may have been here first.
        let isOursAlone =
            status.st_mode & S_IFMT == S_IFDIR && status.st_uid == getuid() && status.st_mode & 0o022 == 0
        guard isOursAlone || !path.hasPrefix("/tmp/polybot-") else {
            throw DaemonExit(
                .refused,
                "\(path) is not a directory of this user alone: remove it, or choose another with --runtime-dir.")
        }
        guard Self.exists(path) else { throw DaemonExit(.refused, "\(path) is not a directory.") }
        guard access(path, W_OK | X_OK) == 0 else {
            throw DaemonExit(.refused, "The directory \(path) cannot be written to: \(Self.reason()).")
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }

    /// Whether `path` is a directory, by way of links too.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// systemd joins several directories with colons; the first is ours.
    private static func first(_ text: String?) -> String? {
        text?.split(separator: ":").first.map(String.init)
    }

    /// The XDG rules: what is not absolute does not count.
    private static func absolute(_ text: String?) -> String? {
        guard var path = text, path.hasPrefix("/") else { return nil }
        while path.count > 1 && path.last == "/" { path.removeLast() }
        return path
    }
}
