import Glibc
import Testing

/// The texts that `make install` writes, judged by the programs that will read them.
@Suite struct GeneratedTextTests {
    private static let pages = [
        "man/man8/feedd.8", "man/man8/scannerd.8", "man/man8/stratd.8", "man/man1/simvenue.1", "man/man1/polybot.1",
        "man/man5/polybot.toml.5",
    ]
    private static let programs = ["feedd", "scannerd", "stratd", "simvenue", "polybot"]

    /// All texts, written as `make install` writes them.
    private func install() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let script = try RunningProgram(
            Programs.packageDirectory + "/scripts/install-texts", [Programs.directory, directory.path],
            in: directory.path)
        try #require(try await script.waitForEnd() == .exited(0), "\(script.report)")
        return directory
    }

    /// What a program says of texts; nothing is what these tests want to hear.
    private func judgement(
        _ program: String, _ arguments: [String], in directory: TemporaryDirectory
    ) async throws
        -> String
    {
        let judge = try RunningProgram(program, arguments, in: directory.path)
        let ending = try await judge.waitForEnd()
        let said = judge.text(of: .output) + judge.text(of: .errors)
        return ending == .exited(0) ? said : "\(program) ended with \(ending): \(said)"
    }

    private static func has(_ program: String) -> Bool {
        (Programs.variable("PATH") ?? "").split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    @Test(.enabled(if: Self.has("mandoc"), "mandoc, of Debian's package of that name, is not here to judge the manual"))
    func mandocFindsNothingToWarnOf() async throws {
        let directory = try await self.install()
        let said = try await self.judgement("mandoc", ["-Tlint", "-W", "warning"] + Self.pages, in: directory)
        #expect(said.isEmpty, "\(said)")
    }

    @Test(.enabled(if: Self.has("groff"), "groff, of Debian's groff-base, is not here to judge the manual"))
    func groffFindsNothingToWarnOf() async throws {
        let directory = try await self.install()
        for page in Self.pages {
            let said = try await self.judgement(
                "groff", ["-mandoc", "-ww", "-z", "-Kutf8", "-Tutf8", page], in: directory)
            #expect(said.isEmpty, "\(said)")
        }
    }

    @Test func theManualNamesEveryFlagAndEveryKey() async throws {
        let directory = try await self.install()
        func page(_ name: String) -> String {
            String(decoding: contents(of: directory.file(name)) ?? [], as: UTF8.self)
        }
        #expect(page("man/man8/feedd.8").contains("\n.It Fl \\-log\\-level Ar LEVEL\n"))
        #expect(page("man/man1/simvenue.1").contains("\n.It Fl \\-replay Ar FILE\n"))
        let command = page("man/man1/polybot.1")
        #expect(command.contains("\n.Ss polybot test\\-ws\n"))
        #expect(command.contains("\n.It Fl \\-venue Ar VENUE\n"))
        #expect(!command.contains("generate"))
        let keys = page("man/man5/polybot.toml.5")
        #expect(keys.contains("\n.Ss [strategies.maker]\n"))
        #expect(keys.contains("\n.It Ic max_order_usd\\ =\\ 50\n"))
        #expect(keys.contains("POLYBOT_RISK_DAILY_LOSS_USD, formerly GLOBAL_DAILY_LOSS_LIMIT."))
        #expect(page("doc/polybot/polybot.toml").contains("\n#max_order_usd = 50\n"))
    }

    @Test func aRealBashCompletesFlagsAndValues() async throws {
        let directory = try await self.install()
        try directory.write(
            "complete.bash",
            """
            # complete WORD...: what the last word may become.
            complete_words() {
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
                local entry
                entry=$(complete -p "$1")
                [[ $entry =~ -F\\ ([^ ]+) ]] && "${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
                echo "${*: -1}: ${COMPREPLY[*]}"
            }
            for program in feedd scannerd stratd simvenue polybot; do
                bash -n bash-completion/completions/$program && source bash-completion/completions/$program
            done
            complete_words feedd --log-l
            complete_words feedd --log-level de
            complete_words feedd --log-level = wa
            complete_words stratd --log-format j
            complete_words feedd --config comp
            complete_words scannerd --gen
            complete_words simvenue --re
            complete_words polybot sta
            """)
        let bash = try RunningProgram("bash", ["--norc", "complete.bash"], in: directory.path)
        #expect(try await bash.waitForEnd() == .exited(0), "\(bash.report)")
        #expect(
            bash.text(of: .output) == """
                --log-l: --log-level
                de: debug
                wa: warning
                j: journal json
                comp: complete.bash
                --gen:\(" ")
                --re: --replay
                sta: status
                """, "\(bash.report)")
        #expect(bash.text(of: .errors).isEmpty, "\(bash.report)")
    }

    @Test(.enabled(if: Self.has("zsh"), "zsh is not here to judge its completions"))
    func zshCanReadItsCompletions() async throws {
        let directory = try await self.install()
        for program in Self.programs {
            let said = try await self.judgement("zsh", ["-n", "zsh/site-functions/_\(program)"], in: directory)
            #expect(said.isEmpty, "\(said)")
        }
    }

    @Test(.enabled(if: Self.has("fish"), "fish is not here to judge its completions"))
    func fishCanReadItsCompletions() async throws {
        let directory = try await self.install()
        for program in Self.programs {
            let file = "fish/vendor_completions.d/\(program).fish"
            let said = try await self.judgement("fish", ["-n", file], in: directory)
            #expect(said.isEmpty, "\(said)")
        }
    }
}
