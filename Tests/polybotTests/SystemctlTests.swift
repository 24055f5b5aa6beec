import Glibc
import Shared
import Testing

@testable import polybot

/// A program in systemctl's place that misbehaves in every way.
@Suite struct SystemctlTests {
    private let directory = TemporaryDirectory()

    private func ask(_ script: String, timeMax: Duration = .seconds(10)) -> Systemctl.Answer {
        self.directory.write("systemctl", "#!/bin/sh\n" + script + "\n")
        chmod(self.directory.file("systemctl"), 0o700)
        return Systemctl.ask(self.directory.file("systemctl"), timeMax: timeMax)
    }

    @Test func unitsAreAskedForByName() {
        let answer = self.ask(
            """
            [ "$1" = show ] || exit 1
            for unit; do case $unit in *.service) printf 'Id=%s\\nLoadState=loaded\\nActiveState=failed\\n\\n' $unit ;; esac; done
            """)
        #expect(answer.problem == nil && answer.hasSomethingUp)
        #expect(answer.units.keys.sorted() == ChildName.daemons)
    }

    @Test func oneThatHangsIsALine() {
        let answer = self.ask("echo Id=; sleep 60", timeMax: .milliseconds(200))
        #expect(answer == .init(problem: "systemctl gave no answer within 200.0 ms."))
    }

    @Test func oneThatNeverEndsTellingIsALine() {
        #expect(self.ask("while :; do echo Id=polybot-feedd.service; done").problem?.contains("no answer") == true)
    }

    @Test func whatItSaysInsteadIsPassedOn() {
        #expect(
            self.ask("echo 'Failed to connect to bus: \u{1B}[31mno' >&2; exit 1")
                == .init(
                    problem: "systemctl does not tell of the units; it said: Failed to connect to bus: ?[31mno"))
        #expect(self.ask("exit 0").problem == "systemctl does not tell of the units; it said: nothing")
        #expect(Systemctl.ask("/nonexistent", timeMax: .seconds(1)).problem?.contains("cannot be run") == true)
    }

    @Test func unitsThatAreNotThereAreNoProblem() {
        let answer = self.ask("printf 'Id=polybot-feedd.service\\nLoadState=not-found\\nActiveState=inactive\\n'")
        #expect(answer == .init() && !answer.hasSomethingUp)
    }

    @Test func stoppedUnitsAreNotUp() {
        let answer = self.ask("printf 'Id=polybot-feedd.service\\nLoadState=loaded\\nActiveState=inactive\\n'")
        #expect(answer.units.count == 1 && !answer.hasSomethingUp)
    }
}
