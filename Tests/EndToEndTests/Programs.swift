import Compression
import Glibc

@testable import DaemonKit

/// Where the programs are that these tests run.
enum Programs {
    /// The build directory: `POLYBOT_BIN`, or the one that holds the tests themselves.
    static let directory: String =
        Self.variable("POLYBOT_BIN") ?? Self.linkTarget("/proc/self/exe").map { Self.parent(of: $0) } ?? "."

    /// For other people's clients. `POLYBOT_TEST_PYTHON` names a better one than the first `python3` of the path.
    static let python = Self.variable("POLYBOT_TEST_PYTHON") ?? "python3"

    /// The sources, for the files that tests read.
    static let packageDirectory = Self.parent(of: Self.parent(of: Self.parent(of: #filePath)))

    /// Recordings and vectors that are not part of the repository stand beside it.
    static let shared = Self.packageDirectory + "/../shared"

    /// The built program of that name.
    static func path(of name: String) -> String { Self.directory + "/" + name }

    /// A client in another language, for the far end of a socket.
    static func peer(_ name: String) -> String { Self.parent(of: #filePath) + "/Peers/" + name }

    static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    private static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}

/// A directory of one test, with a path short enough for sockets; it goes with all that is in it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws(SystemError) {
        var template = Array("/tmp/polybot-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        self.path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit { Self.remove(self.path) }

    /// A path in it.
    func file(_ name: String) -> String { self.path + "/" + name }

    /// Writes a file in it.
    ///
    /// - Returns: its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws(SystemError) -> String {
        let path = self.file(name)
        guard let file = fopen(path, "we") else { throw SystemError("fopen \(path)") }
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw SystemError("fwrite \(path)") }
        return path
    }

    /// Names of what is in it, sorted.
    var names: [String] { Self.names(in: self.path).sorted() }

    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in Self.names(in: path) { Self.remove(path + "/" + name) }
        rmdir(path)
    }
}

/// Reads a whole file; `nil` when it is not there.
func contents(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        guard count > 0 else { return bytes }
        bytes.append(contentsOf: buffer[..<count])
    }
}

/// What a file of the raw journal holds up to its last whole block; nothing when it is not there.
func recordedText(of path: String) -> [UInt8] {
    var text: [UInt8] = []
    let file = try? RecordedFile(path)
    func take(_ piece: UnsafeBufferPointer<UInt8>) -> Bool {
        text.append(contentsOf: piece)
        return true
    }
    while (try? file?.read(take)) == true {}
    return text
}

/// A wait that was in vain, with what is known about it.
struct WaitedInVain: Error, CustomStringConvertible {
    let description: String
}

/// Asks `condition` again and again until it answers, or until `deadline` has passed.
///
/// - Throws: `WaitedInVain` with `what` and what `state` says then.
@discardableResult
func waitFor<Value>(
    _ what: String, within deadline: Duration = .seconds(60), state: @autoclosure () -> String = "",
    _ condition: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + deadline
    while true {
        if let value = try await condition() { return value }
        guard ContinuousClock.now < end else {
            throw WaitedInVain(description: "waited \(deadline) for \(what)\n\(state())")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}
