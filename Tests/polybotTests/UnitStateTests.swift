import Shared
import Testing

@testable import polybot

@Suite struct UnitStateTests {
    /// As systemd 252 answers, with what no daemon has.
    private static let running = """
        MainPID=412
        Result=success
        NRestarts=2
        ExecMainCode=0
        ExecMainStatus=0
        MemoryCurrent=12902400
        MemoryMax=536870912
        StatusText=websocket, 25 of 25 books trusted, a=b
        Id=polybot-feedd.service
        LoadState=loaded
        ActiveState=active
        SubState=running
        InactiveExitTimestampMonotonic=90000000
        ActiveEnterTimestampMonotonic=91000000
        ActiveExitTimestampMonotonic=80000000
        InactiveEnterTimestampMonotonic=0
        """

    @Test func aRunningUnitIsReadWhole() throws {
        let unit = try #require(UnitState.all(in: Self.running + "\n")[.feedd])
        #expect(unit.active == "active" && unit.sub == "running" && unit.result == "success")
        #expect(unit.pid == 412 && unit.restarts == 2 && unit.memory == 12_902_400 && unit.memoryMax == 536_870_912)
        #expect(unit.statusText == "websocket, 25 of 25 books trusted, a=b")
        #expect(unit.since == Samples.second(91))
        #expect(unit.exitStatus == nil && unit.failure == nil && !unit.isInactive)
    }

    @Test func blocksArePartedByEmptyLines() {
        let scanner = Self.running.replacing("feedd", with: "scannerd").replacing("412", with: "9")
        let unknown = "Id=polybot-stratd.service\nLoadState=not-found\nActiveState=inactive"
        let foreign = Self.running.replacing("feedd", with: "other")
        let units = UnitState.all(in: [scanner, unknown, foreign, Self.running].joined(separator: "\n\n"))
        #expect(units.keys.sorted() == [.scannerd, .feedd])
        #expect(units[.scannerd]?.pid == 9 && units[.feedd]?.pid == 412)
    }

    @Test(arguments: ["[not set]", "18446744073709551615", "infinity", "", "-1", "12x", "99999999999999999999999"])
    func whatIsNoNumberIsNone(text: String) throws {
        let unit = try #require(
            UnitState.all(
                in: Self.running.replacing("12902400", with: text).replacing("536870912", with: text)
                    .replacing("NRestarts=2", with: "NRestarts=" + text).replacing("=412", with: "=" + text)
                    .replacing("=91000000", with: "=" + text))[.feedd])
        #expect(unit.memory == nil && unit.memoryMax == nil && unit.restarts == nil && unit.pid == nil)
        #expect(unit.since == nil)
    }

    @Test func noProcessAndNoTimeAreNone() throws {
        let unit = try #require(
            UnitState.all(
                in: Self.running.replacing("=412", with: "=0").replacing("=91000000", with: "=9223372036854775807"))[
                    .feedd])
        #expect(unit.pid == nil && unit.since == nil)
    }

    @Test func whatIsMissingIsMissing() throws {
        let least = "Id=polybot-stratd.service\nLoadState=loaded\nActiveState=inactive"
        let unit = try #require(UnitState.all(in: least)[.stratd])
        #expect(unit.isInactive && unit.sub == "" && unit.statusText == "" && unit.restarts == nil)
        for line in least.split(separator: "\n") {
            #expect(UnitState.all(in: least.replacing(line, with: "")).isEmpty)
        }
    }

    @Test func garbageIsNothing() {
        #expect(UnitState.all(in: "").isEmpty)
        #expect(UnitState.all(in: "Failed to connect to bus: No such file or directory\n").isEmpty)
        var random = SeededRandom(seed: 7)
        let letters = Array("=\n[]Id LoadState0é")
        for _ in 0..<1_000 {
            let text = String((0..<40).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
            #expect(UnitState.all(in: text).isEmpty, "\(text)")
        }
    }

    @Test(arguments: [
        ("exit-code", 1, 78, "exit-code 78: wrong configuration"), ("exit-code", 1, 77, "exit-code 77: refused"),
        ("exit-code", 1, 243, "exit-code 243"), ("signal", 2, 9, "signal 9"),
        ("core-dump", 3, 11, "core-dump, signal 11"),
        ("watchdog", 2, 6, "watchdog, signal 6"), ("start-limit-hit", 1, 78, "start-limit-hit"),
        ("timeout", 0, 0, "timeout"), ("exit-code", 0, 0, "exit-code"),
    ])
    func aFailureSaysHow(result: String, code: Int, status: Int, told: String) throws {
        let text = Self.running.replacing("Result=success", with: "Result=" + result)
            .replacing("ExecMainCode=0", with: "ExecMainCode=\(code)")
            .replacing("ExecMainStatus=0", with: "ExecMainStatus=\(status)")
        #expect(UnitState.all(in: text)[.feedd]?.failure == told)
    }

    @Test(arguments: [
        ("active", 91), ("reloading", 91), ("activating", 90), ("deactivating", 80), ("failed", 70), ("inactive", 70),
    ])
    func sinceIsWhenTheStateBegan(state: String, second: Double) {
        let text = Self.running.replacing("ActiveState=active", with: "ActiveState=" + state)
            .replacing("InactiveEnterTimestampMonotonic=0", with: "InactiveEnterTimestampMonotonic=70000000")
        #expect(UnitState.all(in: text)[.feedd]?.since == Samples.second(second))
    }
}
