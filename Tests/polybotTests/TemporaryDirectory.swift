import Glibc

@testable import polybot

/// A directory of one test.
final class TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/polybot-cli-XXXXXX".utf8CString)
        mkdtemp(&template)
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { RunDirectories.removeTree(self.path) }

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    /// Writes a file in it.
    func write(_ name: String, _ text: String) {
        guard let file = fopen(self.file(name), "we") else { return }
        fputs(text, file)
        fclose(file)
        chmod(self.file(name), 0o600)
    }

    func has(_ name: String) -> Bool { access(self.file(name), F_OK) == 0 }
}
