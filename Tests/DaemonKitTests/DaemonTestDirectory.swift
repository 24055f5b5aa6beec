import CLinux
import DaemonKit
import Glibc

/// A directory of one test's own, removed with all that is in it.
final class DaemonTestDirectory: Sendable {
    let root: String

    init() throws {
        var template = Array("/tmp/polybot-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        self.root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(self.root) }

    func path(_ name: String) -> String { "\(self.root)/\(name)" }

    func write(_ text: String, to name: String) throws { try self.write(Array(text.utf8), to: name) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let descriptor = clinux_open(self.path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { close(descriptor) }
        guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
            throw SystemError("write")
        }
    }

    /// What a file holds; empty when it does not exist.
    func read(_ name: String) -> String { DaemonTest.read(self.path(name)) }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { Self.remove("\(path)/\(name)") }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

enum DaemonTest {
    /// Asks `condition` until it holds; false when that takes longer than `limit`.
    static func eventually(within limit: Duration = .seconds(60), _ condition: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + limit
        while !condition() {
            if ContinuousClock.now > end { return false }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    /// What a file holds; empty when it does not exist.
    static func read(_ path: String) -> String {
        let descriptor = clinux_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += chunk[..<count]
        }
    }

    /// The permission bits of `path`; `nil` when it does not exist.
    static func mode(of path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }
}
