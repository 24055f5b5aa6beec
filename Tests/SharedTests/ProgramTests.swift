import Testing

@testable import Shared

@Suite struct ProgramTests {
    private let program = Program(
        name: "probed", section: 8, summary: "probes",
        flags: [
            ProgramFlag("--file", value: "FILE", "a file: [one], it's \"read\"", completion: .file),
            ProgramFlag("--level", value: "LEVEL", "how much", completion: .words(["low", "high"])),
            ProgramFlag("--now", short: "-n", "at once"),
            ProgramFlag("--secret", value: "TEXT", "nobody's business", isHidden: true),
        ],
        sections: [.init("DESCRIPTION", [.paragraph(".dots stay. So do back\\slashes and --flags.")])],
        closing: "That is all.")

    @Test func helpIsMadeOfTheTable() {
        #expect(
            self.program.help == """
                Usage: probed [--file FILE] [--level LEVEL] [--now]

                probed probes.

                  --file FILE    a file: [one], it's "read"
                  --level LEVEL  how much
                  --now          at once

                That is all.
                """)
    }

    @Test func theManualPageIsMadeOfTheTable() {
        let page = self.program.text(.man)
        #expect(page.hasPrefix(".Dd "))
        #expect(page.contains("\n.Dt PROBED 8\n"))
        #expect(page.contains("\n.Op Fl \\-file Ar FILE\n.Op Fl \\-level Ar LEVEL\n.Op Fl \\-now\n"))
        #expect(page.contains("\n\\&.dots stay.\nSo do back\\eslashes and \\-\\-flags.\n"))
        #expect(page.contains("\n.It Fl \\&n , Fl \\-now\nAt once.\n"))
    }

    @Test func completionsKnowEveryFlagWithItsValues() {
        #expect(
            self.program.text(.bash).contains(
                "--level) mapfile -t COMPREPLY < <(compgen -W 'low high' -- \"$word\") ;;"))
        #expect(self.program.text(.zsh).contains("'--file=[a file\\: \\[one\\], it'\\''s \"read\"]:FILE:_files'"))
        #expect(self.program.text(.fish).contains("-l now -s n -d 'at once'\n"))
        #expect(self.program.text(.fish).contains("-l file -r -F -d 'a file: [one], it\\'s \"read\"'\n"))
    }

    @Test(arguments: Program.Text.allCases)
    func whatIsHiddenIsNowhere(text: Program.Text) {
        #expect(!self.program.text(text).contains("secret"))
        #expect(!self.program.help.contains("secret"))
    }
}
