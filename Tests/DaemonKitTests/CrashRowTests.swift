import Glibc
import Shared
import Testing

@testable import DaemonKit

/// The back-off of a daemon that keeps ending soon after its start.
@Suite struct CrashRowTests {
    @Test func theWaitGrowsAndHasAnEnd() {
        let waits = (0...11).map { CrashRow.wait(after: $0).inSeconds }
        #expect(waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30])
        #expect(CrashRow.wait(after: .max) == .seconds(30))
    }

    @Test func aRowGrowsWithEachStartUntilItEnds() throws {
        let directory = try DaemonTestDirectory()
        #expect(CrashRow(directory: directory.root, daemon: "probed").count == 0)
        #expect(CrashRow(directory: directory.root, daemon: "probed").count == 1)
        let third = CrashRow(directory: directory.root, daemon: "probed")
        #expect(third.count == 2)
        // Another daemon's row is its own.
        #expect(CrashRow(directory: directory.root, daemon: "other").count == 0)
        third.end()
        #expect(CrashRow(directory: directory.root, daemon: "probed").count == 0)
    }

    @Test(arguments: ["", "many", "-4", "\u{0}"]) func whatCannotBeReadIsNoRow(text: String) throws {
        let directory = try DaemonTestDirectory()
        try directory.write(text, to: "probed.crashes")
        #expect(CrashRow(directory: directory.root, daemon: "probed").count == 0)
    }

    @Test func aDirectoryThatIsGoneIsNoError() {
        let row = CrashRow(directory: "/nowhere", daemon: "probed")
        #expect(row.count == 0)
        row.end()
    }

    @Test func theSixthStartInARowWaitsAndTheManagerHearsWhy() async throws {
        let directory = try DaemonTestDirectory()
        let manager = try DatagramSocket(path: directory.path("notify"))
        let variables = ["NOTIFY_SOCKET": directory.path("notify"), "PROBE": ""]
        // All write to one log.
        func starts() -> Int {
            directory.read("stderr").split(separator: "\n").count { $0.hasSuffix("probed: Started") }
        }
        for index in 1...5 {
            let daemon = try DaemonProcess(environment: variables, directory: directory)
            #expect(await DaemonTest.eventually { starts() == index })
            daemon.send(SIGKILL)
            #expect(await daemon.exitCode() == -SIGKILL)
        }
        let sixth = try DaemonProcess(environment: variables, directory: directory)
        #expect(await sixth.says("Ended too often soon after a start, waiting before the next ends=5 wait_s=1.0"))
        let hears = await DaemonTest.eventually {
            manager.next()?.text.hasPrefix("STATUS=ended 5 times in a row, waiting 1.0 s") == true
        }
        #expect(hears)
        #expect(starts() == 5)
        #expect(await DaemonTest.eventually { starts() == 6 })
        sixth.send(SIGTERM)
        #expect(await sixth.exitCode() == 0)
        // An end that was asked for ends the row.
        #expect(access(directory.path("run/probed.crashes"), F_OK) != 0)
    }

    @Test func aWaitEndsAtOnceWhenAStopIsAskedFor() async throws {
        let directory = try DaemonTestDirectory()
        _ = try DatagramSocket(path: directory.path("notify"))
        mkdir(directory.path("run"), 0o700)
        try directory.write("10", to: "run/probed.crashes")
        let daemon = try DaemonProcess(
            environment: ["NOTIFY_SOCKET": directory.path("notify")], directory: directory)
        #expect(await daemon.says("wait_s=30.0"))
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
    }
}
