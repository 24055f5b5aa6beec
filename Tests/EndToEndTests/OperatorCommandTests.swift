import Glibc
import Testing

/// What `polybot halt` and its like say, and that they do it whoever listens.
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

    @Test func eachTellsWhichStratdItCommanded() async throws {
        for (words, sentence) in [
            (["halt", "--reason", "the news"], "halted; polybot resume ends it"), (["resume"], "resumed"),
            (["pause", "maker"], "maker is paused"), (["unpause", "maker"], "maker runs"),
            (["set-limit", "max_order_usd", "20000000"], "max_order_usd is 20000000"),
            (["flatten"], "leaving 0 markets"),
        ] {
            let command = try RunningProgram(
                Programs.path(of: "polybot"), words + ["--runtime-dir", self.directory.path], in: self.directory.path)
            #expect(try await command.waitForEnd() == .exited(0), "\(command.report)")
            #expect(
                command.text(of: .output) == "\(sentence) (paper trading in \(self.directory.path))",
                "\(command.report)")
        }
        let no = try RunningProgram(
            Programs.path(of: "polybot"), ["pause", "nobody", "--runtime-dir", self.directory.path],
            in: self.directory.path)
        #expect(try await no.waitForEnd() == .exited(1), "\(no.report)")
        #expect(no.text(of: .errors).hasPrefix("polybot: stratd in \(self.directory.path) says no: "), "\(no.report)")
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
