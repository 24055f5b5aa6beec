import Logging
import Shared
import Testing

@testable import DaemonKit

@Suite struct DaemonFlagsTests {
    private func refusal(_ arguments: String...) -> DaemonExit? {
        do throws(DaemonExit) {
            _ = try DaemonFlags(arguments)
            return nil
        } catch {
            return error
        }
    }

    @Test func flagsAreRead() throws {
        let flags = try DaemonFlags([
            "--config", "a.toml", "--runtime-dir=/run/x", "--state-dir", "/var/x", "--log-level", "DEBUG",
            "--log-format=json", "--peers-dir", "/run/y",
        ])
        #expect(flags.action == .run)
        #expect(flags.configurationPath == "a.toml")
        #expect(flags.runtimeDirectory == "/run/x")
        #expect(flags.stateDirectory == "/var/x")
        #expect(flags.peersDirectory == "/run/y")
        #expect(flags.logLevel == "debug")
        #expect(flags.logFormat == .json)
        #expect(try DaemonFlags([]) == DaemonFlags([String]()))
    }

    @Test func theMostHarmlessActionWins() throws {
        #expect(try DaemonFlags(["--check-config"]).action == .checkConfiguration)
        #expect(try DaemonFlags(["--check-config", "--version"]).action == .printVersion)
        #expect(try DaemonFlags(["--version", "--help", "--check-config"]).action == .printHelp)
    }

    @Test func wrongUsageIsOneSentence() {
        #expect(
            self.refusal("--chek-config")
                == DaemonExit(.usage, "There is no flag \"--chek-config\". Did you mean --check-config? See --help."))
        #expect(self.refusal("feedd.toml") == DaemonExit(.usage, "There is no flag \"feedd.toml\". See --help."))
        #expect(self.refusal("--config") == DaemonExit(.usage, "--config needs a value after it: --config FILE."))
        #expect(self.refusal("--config=") == DaemonExit(.usage, "--config needs a value after it: --config FILE."))
        #expect(self.refusal("--version=1") == DaemonExit(.usage, "--version takes no value."))
        #expect(
            self.refusal("--log-format", "xml")
                == DaemonExit(.usage, "--log-format is one of auto, journal, json, text, not \"xml\"."))
        #expect(
            self.refusal("--log-level", "loud")
                == DaemonExit(
                    .usage,
                    "--log-level is one of trace, debug, info, notice, warning, error, critical, not \"loud\"."))
    }

    @Test func whatIsDoneOnceTakesNoFlagThatItWouldNotRead() throws {
        let names = DaemonCommand.flagNames
        #expect(try DaemonFlags(["--config", "a.toml", "--state-dir=/x"], among: names).stateDirectory == "/x")
        for flag in ["--log-level", "--runtime-dir", "--check-config", "--generate"] {
            do throws(DaemonExit) {
                _ = try DaemonFlags([flag, "x"], among: names)
                Issue.record("\(flag) is taken")
            } catch { #expect(error.code == .usage && error.message.hasPrefix("There is no flag"), "\(error)") }
        }
    }

    @Test func helpNamesEveryFlagThatPeopleNeed() {
        let help = Program.daemon("feedd", "keeps books").help
        for flag in [
            "--config", "--runtime-dir", "--state-dir", "--peers-dir", "--log-level", "--log-format", "--check-config",
            "--version", "--help",
        ] {
            #expect(help.contains("\n  \(flag) "))
        }
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 110 })
        #expect(!help.contains("--generate"))
    }

    @Test func theParserTakesEveryFlagOfTheTableAndNoOther() throws {
        for flag in DaemonFlags.table {
            let value: String? =
                switch flag.completion {
                case .words(let words): words[0]
                case .nothing: flag.value == nil ? nil : "man"
                case .file, .directory: "x"
                }
            for name in [flag.name, flag.short].compactMap({ $0 }) {
                _ = try DaemonFlags([name] + [value].compactMap { $0 })
            }
        }
        #expect(try DaemonFlags(["--generate", "zsh", "--check-config"]).action == .generate(.zsh))
        #expect(
            self.refusal("--generate", "tcsh")
                == DaemonExit(.usage, "--generate is one of man, bash, zsh, fish, not \"tcsh\"."))
    }
}

@Suite struct DaemonDirectoriesTests {
    private func directories(
        _ environment: [String: String], runtime: String? = nil, state: String? = nil, peers: String? = nil,
        hasUserDirectory: Bool = false
    ) throws(DaemonExit) -> DaemonDirectories {
        try DaemonDirectories(
            runtimeFlag: runtime, stateFlag: state, peersFlag: peers, environment: environment, user: 1_000,
            directoryExists: { _ in hasUserDirectory })
    }

    @Test func flagsGoOverSystemdOverTheUsersOwn() throws {
        var environment = ["HOME": "/home/a/"]
        var found = try self.directories(environment)
        #expect(found.runtime == "/tmp/polybot-1000")
        #expect(found.state == "/home/a/.local/state/polybot")
        #expect(try self.directories(environment, hasUserDirectory: true).runtime == "/run/user/1000/polybot")
        environment["XDG_RUNTIME_DIR"] = "/run/user/7"
        environment["XDG_STATE_HOME"] = "/home/a/state"
        found = try self.directories(environment)
        #expect(found.runtime == "/run/user/7/polybot")
        #expect(found.state == "/home/a/state/polybot")
        environment["RUNTIME_DIRECTORY"] = "/run/polybot:/run/other"
        environment["STATE_DIRECTORY"] = "/var/lib/polybot"
        found = try self.directories(environment)
        #expect(found.runtime == "/run/polybot")
        #expect(found.state == "/var/lib/polybot")
        found = try self.directories(environment, runtime: "here", state: "there")
        #expect(found.runtime == "here")
        #expect(found.state == "there")
    }

    @Test func withoutAHomeTheStateNeedsAFlag() {
        #expect(throws: DaemonExit.self) { try self.directories([:]) }
    }

    @Test func aSocketPathThatIsTooLongIsRefused() throws {
        let fits = "/" + String(repeating: "r", count: 107 - 1 - "/strategy.sock".count)
        #expect(try self.directories([:], runtime: fits, state: "s").runtime == fits)
        let error = #expect(throws: DaemonExit.self) { try self.directories([:], runtime: fits + "r", state: "s") }
        #expect(error?.code == .configuration)
        #expect(
            error?.message.hasSuffix("has 108 bytes, and the system takes 107: choose a shorter --runtime-dir.") == true
        )
    }

    @Test func theOthersAreInTheSameDirectoryUnlessAFlagSaysWhere() throws {
        #expect(try self.directories([:], runtime: "/r", state: "/s").peers == "/r")
        let found = try self.directories([:], runtime: "/r", state: "/s", peers: "/run/polybot")
        #expect(found.runtime == "/r" && found.peers == "/run/polybot")
        let fits = "/" + String(repeating: "p", count: 107 - 1 - "/strategy.sock".count)
        #expect(try self.directories([:], runtime: "/r", state: "/s", peers: fits).peers == fits)
        let error = #expect(throws: DaemonExit.self) {
            try self.directories([:], runtime: "/r", state: "/s", peers: fits + "p")
        }
        #expect(error?.code == .configuration)
        #expect(
            error?.message.hasSuffix("has 108 bytes, and the system takes 107: choose a shorter --peers-dir.") == true)
    }

    @Test func onlyTheOthersSocketsAreWhereThePeersAre() throws {
        let context = DaemonContext(
            name: "stratd", loop: try EventLoop(), configuration: Configuration(),
            directories: try self.directories([:], runtime: "/r", state: "/s", peers: "/p"), environment: [:],
            logger: Logger(label: "stratd") { _ in SwiftLogNoOpLogHandler() }, notifier: Notifier(),
            stopRequest: { _ in })
        #expect(context.socketPath(of: "stratd") == "/r/stratd.sock")
        #expect(context.socketPath(of: "feedd") == "/p/feedd.sock")
    }

    @Test func missingDirectoriesAreCreatedForTheOwnerAlone() throws {
        let directory = try DaemonTestDirectory()
        let found = try self.directories([:], runtime: directory.path("a/b"), state: directory.path("c/d/e"))
        try found.create()
        try found.create()
        #expect(DaemonDirectories.exists(directory.path("c/d/e")))
        #expect(DaemonTest.mode(of: directory.path("a/b")) == 0o700)
        try directory.write("", to: "file")
        let wrong = try self.directories([:], runtime: directory.path("file/x"), state: directory.path("c"))
        let error = #expect(throws: DaemonExit.self) { try wrong.create() }
        #expect(error?.code == .refused)
    }
}
