import DaemonKit
import Glibc
import Testing

@testable import polybot

@Suite struct ChildTests {
    private func run(_ script: String) throws -> (output: String, exit: SupervisorCore.Exit) {
        let lifeline = try Pipe.make()
        defer {
            close(lifeline.reading)
            close(lifeline.writing)
        }
        let child = try ChildProcess.spawn(
            "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], lifeline: lifeline.reading)
        defer { close(child.output) }
        var output: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 1_024)
        while true {
            var waiting = pollfd(fd: child.output, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 10_000)
            let count = read(child.output, &bytes, bytes.count)
            guard count > 0 else { break }
            output += bytes[..<count]
        }
        var exit = child.takeExit()
        while exit == nil {
            usleep(1_000)
            exit = child.takeExit()
        }
        return (String(decoding: output, as: UTF8.self), exit!)
    }

    @Test func aChildWritesToUsAndTellsHowItEnded() throws {
        let (output, exit) = try self.run("echo out; echo err >&2; exit 78")
        #expect(output == "out\nerr\n")
        #expect(exit == .code(78))
        #expect(try self.run("kill -9 $$").exit == .signal(9))
    }

    @Test func aChildHasTheLifelineAndAGroupOfItsOwn() throws {
        let (output, _) = try self.run(
            "echo $POLYBOT_LIFELINE_FD; test -e /proc/$$/fd/3 && echo open; ps -o pgid= -p $$ | tr -d ' '; echo $$")
        let words = output.split(separator: "\n")
        #expect(words.prefix(2) == ["3", "open"])
        #expect(words.count == 4 && words[2] == words[3])
    }

    @Test func aProgramThatIsNotThereIsAnError() throws {
        let lifeline = try Pipe.make()
        defer {
            close(lifeline.reading)
            close(lifeline.writing)
        }
        #expect(throws: SystemError("posix_spawn", code: ENOENT)) {
            try ChildProcess.spawn("/nonexistent", [], environment: [:], lifeline: lifeline.reading)
        }
    }

    @Test func aLogIsBoundedAndKeepsTheLastLines() throws {
        let directory = TemporaryDirectory()
        let log = ChildLog(path: directory.file("feedd.log"))
        var lines: [String] = []
        log.onLine = { lines.append($0) }
        for text in ["one\ntw", "o\n", "", "three"] { Array(text.utf8).withUnsafeBytes { log.take($0) } }
        #expect(lines == ["one", "two"])
        log.endLine()
        #expect(lines == ["one", "two", "three"])
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 65_535) + [10]
        for _ in 0..<2 * ChildLog.fileByteCountMax / line.count + 1 { line.withUnsafeBytes { log.take($0) } }
        #expect(log.lastLines.count == ChildLog.lineCountMax)
        #expect(log.lastLines.allSatisfy { $0.utf8.count <= ChildLog.lineByteCountMax })
        for name in ["feedd.log", "feedd.log.1"] {
            var status = stat()
            #expect(stat(directory.file(name), &status) == 0)
            #expect(status.st_size <= ChildLog.fileByteCountMax)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func theReadyLineTellsThePort() {
        #expect(ReadyLine.port(in: #"{"ready":true,"port":41233}"#) == 41_233)
        for line in ["", "simvenue: listening", #"{"ready":false,"port":1}"#, #"{"ready":true,"port":0}"#, "{"] {
            #expect(ReadyLine.port(in: line) == nil)
        }
    }
}
