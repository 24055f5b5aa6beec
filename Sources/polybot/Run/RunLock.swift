import CLinux
import DaemonKit
import Glibc

/// The file whose lock says that a runtime directory is in use. It holds what its run has made, so that the next one can
/// remove it should the run be killed.
struct RunLock {
    static let name = "run.lock"
    /// Bytes of the file that are read.
    private static let byteCountMax = 16 << 10

    /// What a run has made and removes at its end.
    struct Belongings: Equatable {
        /// Directories that were not there before, outermost first. Removed while empty only.
        var created: [String] = []
        /// Removed with all that is in it.
        var temporary: String?
    }

    private let descriptor: Int32
    private let path: String
    /// Of a run that was killed; empty after one that ended in order.
    let inherited: Belongings

    /// - Throws: code 77 when another run holds it, with the number of that process.
    static func take(in directory: String) throws(DaemonExit) -> RunLock {
        let path = directory + "/" + Self.name
        while true {
            let descriptor = clinux_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else {
                throw DaemonExit(.refused, "\(path) cannot be opened: \(String(cString: strerror(errno))).")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let holder = Self.text(of: descriptor).prefix { $0.isASCII && $0.isNumber }
                close(descriptor)
                throw DaemonExit(
                    .refused,
                    """
                    Another polybot run\(holder.isEmpty ? "" : " (process \(holder))") uses \(directory): look at it with \
                    polybot status, stop it, or choose another --runtime-dir.
                    """)
            }
            // The run before us may have removed the file between our open and our lock.
            var held = stat()
            var present = stat()
            if fstat(descriptor, &held) == 0, stat(path, &present) == 0, held.st_ino == present.st_ino {
                // What somebody else has written tells us to remove nothing.
                let isOurs = held.st_uid == getuid() && held.st_mode & 0o022 == 0
                let inherited = isOurs ? Self.parse(Self.text(of: descriptor)) : Belongings()
                return RunLock(descriptor: descriptor, path: path, inherited: inherited)
            }
            close(descriptor)
        }
    }

    /// Notes what this run has made.
    func write(_ belongings: Belongings) {
        let text = Array(Self.text(belongings, pid: getpid()).utf8)
        ftruncate(self.descriptor, 0)
        _ = pwrite(self.descriptor, text, text.count, 0)
    }

    func release() {
        // First the file, then the lock: whoever waits for it finds a file that is no longer there, and makes another.
        unlink(self.path)
        close(self.descriptor)
    }

    // MARK: What it holds

    static func text(_ belongings: Belongings, pid: Int32) -> String {
        let lines =
            belongings.created.map { "created \($0)" } + (belongings.temporary.map { ["temporary \($0)"] } ?? [])
        return (["\(pid)"] + lines).map { $0 + "\n" }.joined()
    }

    /// Takes absolute paths alone, and of temporary directories those that bear our name.
    static func parse(_ text: String) -> Belongings {
        var belongings = Belongings()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2, words[1].hasPrefix("/") else { continue }
            switch words[0] {
            case "created": belongings.created.append(words[1])
            case "temporary"
            where words[1].split(separator: "/").last?.hasPrefix(RunDirectories.temporaryPrefix) == true:
                belongings.temporary = words[1]
            default: break
            }
        }
        return belongings
    }

    private static func text(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: Self.byteCountMax)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
