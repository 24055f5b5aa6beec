import CLinux
import DaemonKit
import Glibc

/// The directories of one run, taken for it alone and left as they were found.
final class RunDirectories {
    /// How the names of temporary directories begin.
    static let temporaryPrefix = "polybot-run-"
    /// The sockets that daemons leave when they are killed.
    private static let socketNames = ["scannerd.sock", "feedd.sock", "stratd.sock", "strategy.sock"]
    /// How long daemons of a run that was killed may take to notice it.
    static let takeoverTimeMax = Duration.seconds(5)

    let runtime: String
    let state: String
    let logs: String
    private let belongings: RunLock.Belongings
    private let lock: RunLock
    /// Whether the sockets there are those of our children.
    private var hasSockets = false

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
            var belongings = RunLock.Belongings(created: Self.missing(directories.runtime), temporary: temporary)
            do throws(DaemonExit) {
                try directories.create()
                guard mkdir(self.logs, 0o700) == 0 || errno == EEXIST else {
                    let reason = String(cString: strerror(errno))
                    throw DaemonExit(.refused, "The directory \(self.logs) cannot be made: \(reason).")
                }
                self.lock = try RunLock.take(in: directories.runtime)
            } catch {
                for directory in belongings.created.reversed() { rmdir(directory) }
                throw error
            }
            // What a run that was killed has left is ours now.
            belongings.created = self.lock.inherited.created + belongings.created
            self.belongings = belongings
            self.lock.write(belongings)
            if let left = self.lock.inherited.temporary { Self.removeTree(left) }
        } catch {
            if let temporary { Self.removeTree(temporary) }
            throw error
        }
    }

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
                    "Another daemon answers on \(self.runtime)/\(name): stop it first, or choose another --runtime-dir."
                )
            }
            usleep(100_000)
        }
        self.hasSockets = true
    }

    private func answers(_ path: String) -> Bool {
        guard let descriptor = BlockingSocket.connect(path) else { return false }
        close(descriptor)
        return true
    }

    /// Removes what children that were killed could not, and everything that was made for this run. Call it once, when
    /// no child is left.
    func cleanUp() {
        if self.hasSockets {
            for name in Self.socketNames { unlink(self.runtime + "/" + name) }
        }
        if let temporary = self.belongings.temporary { Self.removeTree(temporary) }
        self.lock.release()
        // Only while empty: what others have put there stays.
        for directory in self.belongings.created.reversed() { rmdir(directory) }
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
        var template = Array("\(parent)/\(Self.temporaryPrefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw DaemonExit(
                .refused,
                "No directory can be made in \(parent): \(String(cString: strerror(errno))). Give one with --state-dir."
            )
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
