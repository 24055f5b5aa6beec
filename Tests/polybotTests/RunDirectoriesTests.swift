import DaemonKit
import Glibc
import Testing

@testable import polybot

@Suite struct RunDirectoriesTests {
    private func directories(_ directory: TemporaryDirectory, state: String? = nil) throws -> RunDirectories {
        try RunDirectories(
            runtimeFlag: directory.file("a/run"), stateFlag: state, isStateTemporary: state == nil, logs: nil,
            environment: ["TMPDIR": directory.path])
    }

    @Test func directoriesAreLeftAsTheyWereFound() throws {
        let directory = TemporaryDirectory()
        let taken = try self.directories(directory)
        #expect(directory.has("a/run/run.lock"))
        #expect(taken.state.hasPrefix(directory.path + "/polybot-run-"))
        try taken.waitForFreeSockets()
        // A daemon that was killed leaves its socket.
        directory.write("a/run/feedd.sock", "")
        close(open(taken.logs + "/feedd.log", O_CREAT | O_WRONLY, 0o600))
        taken.cleanUp()
        #expect(!directory.has("a"))
        #expect(access(taken.state, F_OK) != 0)
    }

    @Test func whatOthersPutThereStays() throws {
        let directory = TemporaryDirectory()
        let taken = try self.directories(directory, state: directory.file("state"))
        directory.write("a/mine", "")
        taken.cleanUp()
        #expect(directory.has("a/mine"))
        #expect(!directory.has("a/run"))
        #expect(directory.has("state/logs"))
    }

    @Test func aSecondRunIsRefusedAndLeavesTheFirstAlone() throws {
        let directory = TemporaryDirectory()
        let first = try self.directories(directory)
        let error = #expect(throws: DaemonExit.self) { try self.directories(directory) }
        #expect(error?.code == .refused)
        #expect(error?.message.contains("process \(getpid())") == true)
        #expect(directory.has("a/run/run.lock"))
        first.cleanUp()
        let third = try self.directories(directory)
        third.cleanUp()
        #expect(!directory.has("a"))
    }

    @Test func whatAKilledRunHasLeftIsRemovedByTheNext() throws {
        let directory = TemporaryDirectory()
        let temporary = directory.file("polybot-run-123456")
        for path in ["a", "a/run", "polybot-run-123456", "polybot-run-123456/logs"] {
            mkdir(directory.file(path), 0o700)
        }
        let left = RunLock.Belongings(created: [directory.file("a"), directory.file("a/run")], temporary: temporary)
        directory.write("a/run/run.lock", RunLock.text(left, pid: 1))
        let taken = try self.directories(directory)
        #expect(access(temporary, F_OK) != 0)
        taken.cleanUp()
        #expect(!directory.has("a"))
    }

    @Test func aLockFileTellsOfNothingThatIsNotOurs() {
        let text = "12\ncreated run\ntemporary /home/somebody\ntemporary polybot-run-1\nremove /\ncreated /a b\n"
        #expect(RunLock.parse(text) == RunLock.Belongings(created: ["/a b"]))
        let belongings = RunLock.Belongings(created: ["/x", "/x/y"], temporary: "/tmp/polybot-run-1")
        #expect(RunLock.parse(RunLock.text(belongings, pid: 7)) == belongings)
    }

    @Test func socketsOfSomebodyElseAreLeftAlone() throws {
        let directory = TemporaryDirectory()
        mkdir(directory.file("run"), 0o700)
        directory.write("run/feedd.sock", "")
        let taken = try RunDirectories(
            runtimeFlag: directory.file("run"), stateFlag: nil, isStateTemporary: true, logs: nil,
            environment: ["TMPDIR": directory.path])
        taken.cleanUp()
        #expect(directory.has("run/feedd.sock"))
    }
}
