import Glibc
import Shared
import Testing

/// Files that tests read: own fixtures beside the tests, recordings beside the repository.
enum Recordings {
    /// Recorded messages and vectors stand in `../shared` beside the repository; they are not part of it.
    static let shared = "\(Self.directory(of: #filePath, up: 3))/../shared"
    static let areHere = access("\(Self.shared)/samples/ws-capture", R_OK) == 0
    /// For `.enabled(if:)`.
    static let skipped: Comment = "the recordings in ../shared are not here, so nothing is compared with them"

    static func shared(_ path: String) throws -> [UInt8] { try Self.bytes("\(Self.shared)/\(path)") }

    private static func bytes(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"), "cannot open \(path)")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    private static func directory(of file: String, up levels: Int) -> String {
        file.split(separator: "/", omittingEmptySubsequences: false).dropLast(levels).joined(separator: "/")
    }
}

extension JSONValue {
    init(text: String) throws { try self.init(parsing: Array(text.utf8)) }
}
