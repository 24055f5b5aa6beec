import CLinux
import DaemonKit
import Glibc

/// The directories of one run, taken for it alone and left as they were found.
final class RunDirectories {
    /// Whoever holds this file's lock runs the daemons of a runtime directory.
    static let lockName = "run.lock"
    /// The sockets that daemons leave when they are killed.
    private static let socketNames = ["scannerd.sock", "feedd.sock", "stratd.sock", "strategy.sock"]
    /// How long daemons of a run that was killed may take to notice it.
    static let takeoverTimeMax = Duration.seconds(5)

    let runtime: String
    let state: String
    let logs: String
    let isStateTemporary: Bool
    /// Directories that were not there before, outermost first.
    private let created: [String]
    private let lock: Int32

    /// Makes what is missing and takes the lock.
    ///
    /// - Parameters:
    ///   - isStateTemporary: whether the state goes to a new directory that is removed again.
    ///   - logs: where the children's lines go; `nil` for `logs` in the state directory.
    /// - Throws: code 77 when another run holds the runtime directory, or when it cannot be used.
    init(
        runtimeFlag: String?, stateFlag: String?, isStateTemporary: Bool, logs: String?, environment: [String: String]
    ) throws(DaemonExit) {
        let temporary = isStateTemporary ? try Self.makeTemporary(environment["TMPDIR"]) : nil
        do throws(DaemonExit) {
            let directories = try DaemonDirectories(
                runtimeFlag: runtimeFlag, stateFlag: temporary ?? stateFlag, environment: environment, user: getuid())
            self.runtime = directories.runtime
            self.state = directories.state
            self.logs = logs ?? directories.state + "/logs"
            self.created = Self.missing(directories.runtime)
            do throws(DaemonExit) {
                try directories.create()
                guard mkdir(self.logs, 0o700) == 0 || errno == EEXIST else {
                    let reason = String(cString: strerror(errno))
                    throw DaemonExit(.refused, "The directory \(self.logs) cannot be made: \(reason).")
                }
                self.lock = try Self.takeLock(directories.runtime + "/" + Self.lockName)
            } catch {
                for directory in self.created.reversed() { rmdir(directory) }
                throw error
            }
        } catch {
            if let temporary { Self.removeTree(temporary) }
            throw error
        }
        self.isStateTemporary = isStateTemporary
    }

    func socketPath(of child: ChildName) -> String { "\(self.runtime)/\(child).sock" }

    /// Waits for daemons of an earlier run to end.
    ///
    /// - Throws: code 77 when somebody still answers on one of the sockets.
    func waitForFreeSockets() throws(DaemonExit) {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.takeoverTimeMax
        while let name = Self.socketNames.first(where: { self.answers(self.runtime + "/" + $0) }) {
            guard clock.now < deadline else {
                throw DaemonExit(
                    .refused,
                    "Another daemon answers on \(self.runtime)/\(name): stop it first, or choose another --runtime-dir.")
            }
            usleep(100_000)
        }
    }

    private func answers(_ path: String) -> Bool {
        guard let descriptor = BlockingSocket.connect(path) else { return false }
        close(descriptor)
        return true
    }

    /// Removes what children that were killed could not, and everything that was made for this run. Call it once, when
    /// no child is left.
    func cleanUp() {
        for name in Self.socketNames { unlink(self.runtime + "/" + name) }
        // First the file, then the lock: whoever waits for it finds a file that is no longer there, and makes another.
        unlink(self.runtime + "/" + Self.lockName)
        close(self.lock)
        if self.isStateTemporary { Self.removeTree(self.state) }
        // Only while empty: what others have put there stays.
        for directory in self.created.reversed() { rmdir(directory) }
    }

    // MARK: The lock

    private static func takeLock(_ path: String) throws(DaemonExit) -> Int32 {
        while true {
            let descriptor = clinux_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else {
                throw DaemonExit(.refused, "\(path) cannot be opened: \(String(cString: strerror(errno))).")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let holder = Self.text(of: descriptor)
                close(descriptor)
                throw DaemonExit(
                    .refused,
                    """
                    Another polybot run\(holder.isEmpty ? "" : " (process \(holder))") uses \(path): look at it with \
                    polybot status, stop it, or choose another --runtime-dir.
                    """)
            }
            // The run before us may have removed the file between our open and our lock.
            var held = stat()
            var present = stat()
            if fstat(descriptor, &held) == 0, stat(path, &present) == 0, held.st_ino == present.st_ino {
                let text = Array("\(getpid())".utf8)
                ftruncate(descriptor, 0)
                _ = pwrite(descriptor, text, text.count, 0)
                return descriptor
            }
            close(descriptor)
        }
    }

    private static func text(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }, as: UTF8.self)
    }

    // MARK: Directories

    /// What of `path` does not exist, outermost first.
    private static func missing(_ path: String) -> [String] {
        var missing: [String] = []
        var rest = path[...]
        while !rest.isEmpty, !DaemonDirectories.exists(String(rest)) {
            missing.append(String(rest))
            guard let slash = rest.lastIndex(of: "/") else { break }
            rest = rest[..<slash]
        }
        return missing.reversed()
    }

    /// A new directory for this user alone.
    private static func makeTemporary(_ parent: String?) throws(DaemonExit) -> String {
        let parent = parent.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(parent)/polybot-run-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw DaemonExit(
                .refused, "No directory can be made in \(parent): \(String(cString: strerror(errno))). Give one with --state-dir.")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes `path` and what is below it; links are removed, not followed.
    static func removeTree(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name == "." || name == ".." { continue }
                let child = path + "/" + name
                var status = stat()
                if lstat(child, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR {
                    Self.removeTree(child)
                } else {
                    unlink(child)
                }
            }
            closedir(directory)
        }
        rmdir(path)
    }
}
