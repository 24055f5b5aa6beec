import CLinux
import Glibc

/// How often in a row a daemon ended soon after its start and not in order: kept in the runtime directory, as the
/// process that knew it is gone.
///
/// systemd restarts at once and always after the same time; this is the back-off that it does not have.
struct CrashRow {
    /// A daemon that has lived this long ends the row.
    static let healthyAfter = Duration.seconds(10)

    private let path: String
    /// Ends before this start.
    let count: Int

    /// Reads the row and notes that another start is on its way.
    ///
    /// - Parameter directory: the runtime directory. What cannot be read counts as no row, what cannot be written is left.
    init(directory: String, daemon: String) {
        self.path = "\(directory)/\(daemon).crashes"
        self.count = Self.read(self.path)
        Self.write(self.count + 1, to: self.path)
    }

    /// How long to wait before the start.
    ///
    ///     ends in a row     0 to 4   5     6     7     8     9      10 and on
    ///     wait              none     1 s   2 s   4 s   8 s   16 s   30 s
    static func wait(after count: Int) -> Duration {
        guard count > 4 else { return .zero }
        return count > 9 ? .seconds(30) : .seconds(1 << (count - 5))
    }

    /// The row is over: the daemon lives, or was asked to end.
    func end() { unlink(self.path) }

    private static func read(_ path: String) -> Int {
        let descriptor = clinux_open(path, O_RDONLY | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8)
        let length = Glibc.read(descriptor, &bytes, bytes.count)
        guard length > 0 else { return 0 }
        return min(1_000, max(0, Int(String(decoding: bytes[..<length], as: UTF8.self)) ?? 0))
    }

    private static func write(_ count: Int, to path: String) {
        let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let text = Array("\(count)".utf8)
        _ = text.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
