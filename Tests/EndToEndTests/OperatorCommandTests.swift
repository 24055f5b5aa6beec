import Glibc
import Testing

/// `polybot halt` and its like do their work whoever listens.
@Suite struct OperatorCommandTests {
    private let directory: TemporaryDirectory
    private let stratd: RunningProgram

    init() async throws {
        self.directory = try TemporaryDirectory()
        self.stratd = try RunningProgram(
            Programs.path(of: "stratd"),
            ["--runtime-dir", self.directory.path, "--state-dir", self.directory.file("state")],
            in: self.directory.path)
        _ = try await self.stratd.line(of: .errors) { $0.contains("Started") }
    }

    @Test func aCommandIsDoneAlsoWhereNobodyReadsItsOutput() async throws {
        for word in ["halt", "resume"] {
            let shell = try RunningProgram(
                "bash",
                [
                    "-c", #"{ sleep 0.5; "$0" "$1" --runtime-dir "$2"; echo "code $?" >&2; } | exec true"#,
                    Programs.path(of: "polybot"), word, self.directory.path,
                ], in: self.directory.path)
            #expect(try await shell.waitForEnd() == .exited(0), "\(shell.report)")
            #expect(shell.text(of: .errors) == "code 0", "\(shell.report)")
        }
    }
}
