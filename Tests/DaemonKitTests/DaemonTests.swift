import CLinux
import Glibc
import Shared
import Testing

@testable import DaemonKit

/// The probe as a real process: what a person, a parent and a script see of a daemon.
@Suite struct DaemonTests {
    private func start(
        _ arguments: [String] = [], probe: String = "", environment: [String: String] = [:], descriptors: [Int32] = []
    ) throws -> DaemonProcess {
        var variables = environment
        variables["PROBE"] = probe
        return try DaemonProcess(
            arguments, environment: variables, descriptors: descriptors, directory: DaemonTestDirectory())
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aSignalStopsItInOrder(signal: Int32) async throws {
        let daemon = try self.start()
        #expect(await daemon.says("probed: Started"))
        daemon.send(signal)
        #expect(await daemon.exitCode() == 0)
        let log = daemon.standardError
        #expect(log.contains("notice probed: Stopping code=0 reason=\(signal == SIGTERM ? "SIGTERM" : "SIGINT")\n"))
        #expect(log.contains("info probed: The probe stops\n"))
        #expect(log.hasSuffix("notice probed: Stopped\n"))
        #expect(log.contains("notice probed: Starting config=defaults instance="))
        #expect(log.contains(" version=0.1.0\n"))
        #expect(DaemonTest.mode(of: daemon.directory.path("run")) == 0o700)
    }

    @Test func theSameSignalAgainStopsItAtOnce() async throws {
        let daemon = try self.start(probe: "stop-hangs")
        #expect(await daemon.says("probed: Started"))
        daemon.send(SIGINT)
        #expect(await daemon.says("The probe hangs"))
        // The parent's signal after the terminal's, and an echo, are no insistence.
        daemon.send(SIGTERM)
        let code = await DaemonTest.eventually {
            daemon.send(SIGINT)
            return daemon.standardError.contains("Stopped at once, not in order signal=SIGINT")
        }
        #expect(code)
        #expect(await daemon.exitCode() == 70)
    }

    @Test(arguments: ["stop-hangs", "stop-blocks"]) func aStopThatNeverEndsIsGivenUp(probe: String) async throws {
        let daemon = try self.start(probe: probe)
        #expect(await daemon.says("probed: Started"))
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 70)
        #expect(daemon.standardError.contains("CRITICAL probed: The stop took too long and is given up limit_s=10.0\n"))
    }

    @Test func aStartThatWaitsDoesNotHoldUpAStop() async throws {
        let daemon = try self.start(probe: "start-hangs")
        #expect(await daemon.says("The probe hangs"))
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
        #expect(daemon.standardError.contains("The probe stops"))
    }

    @Test(arguments: [
        ("refuse", 77, "CRITICAL probed: Cannot start code=77 reason=\"Trading is not allowed from here.\"\n"),
        ("forbidden", 77, "CRITICAL probed: Cannot start code=77 reason=\"bind: Permission denied\"\n"),
        ("fail", 70, "CRITICAL probed: Cannot start code=70 reason=\"bind: Address already in use\"\n"),
        ("gives-up", 77, "CRITICAL probed: Stopping code=77 reason=\"Trading is not allowed any more.\"\n"),
    ]) func aServiceThatRefusesChoosesTheCode(probe: String, code: Int32, line: String) async throws {
        let daemon = try self.start(probe: probe)
        #expect(await daemon.exitCode() == code)
        #expect(daemon.standardError.contains(line))
    }

    @Test func wrongUsageIs64AndSaysWhy() async throws {
        let daemon = try self.start(["--log-level", "loud"])
        #expect(await daemon.exitCode() == 64)
        #expect(
            daemon.standardError
                == "probed: --log-level is one of trace, debug, info, notice, warning, error, critical, not \"loud\".\n"
        )
    }

    @Test func aWrongConfigurationIs78AndSaysAllThatIsWrong() async throws {
        let directory = try DaemonTestDirectory()
        try directory.write("[dashboard]\nport = 99999\n[feed]\nreconnect_delay_s = -1\n", to: "polybot.toml")
        for arguments in [[], ["--check-config"], ["--config", "polybot.toml"]] {
            let daemon = try DaemonProcess(arguments, directory: directory)
            #expect(await daemon.exitCode() == 78)
        }
        let lines = directory.read("stderr").split(separator: "\n")
        #expect(lines.count == 6)
        #expect(lines[0].hasPrefix("probed: ./polybot.toml:2: dashboard.port: found 99999"))
        #expect(lines[1].hasPrefix("probed: ./polybot.toml:4: feed.reconnect_delay_s: found -1"))
        #expect(!DaemonDirectories.exists(directory.path("run")))
    }

    @Test func informationGoesToStandardOutput() async throws {
        let version = try self.start(["--version"])
        #expect(await version.exitCode() == 0)
        #expect(version.standardOutput == "probed 0.1.0\n")
        let help = try self.start(["--help"])
        #expect(await help.exitCode() == 0)
        #expect(help.standardOutput.hasPrefix("Usage: probed "))
        let check = try self.start(["--check-config"], environment: ["DRY_RUN": "false"])
        #expect(await check.exitCode() == 0)
        #expect(check.standardOutput.hasPrefix("note: environment: DRY_RUN=false enables nothing"))
        #expect(check.standardOutput.hasSuffix("\nconfiguration is valid\n"))
    }

    @Test func itStopsWhenItsParentIsGone() async throws {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        let daemon = try self.start(environment: ["POLYBOT_LIFELINE_FD": "3"], descriptors: [ends[0]])
        close(ends[0])
        #expect(await daemon.says("probed: Started"))
        #expect(write(ends[1], "x", 1) == 1)
        close(ends[1])
        #expect(await daemon.exitCode() == 0)
        #expect(daemon.standardError.contains("Stopping code=0 reason=\"the parent process is gone\"\n"))
    }

    @Test func aLifelineThatIsNotThereIsRefused() async throws {
        let daemon = try self.start(environment: ["POLYBOT_LIFELINE_FD": "9777"])
        #expect(await daemon.exitCode() == 78)
        #expect(
            daemon.standardError == "probed: POLYBOT_LIFELINE_FD is \"9777\", which is no open descriptor above 2.\n")
    }

    @Test func logsAreJSONOnRequestAndKeepSecrets() async throws {
        let daemon = try self.start(
            ["--log-format", "json", "--log-level", "info"], environment: ["LOG_LEVEL": "error"])
        #expect(await daemon.says("\"Started\""))
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
        let lines = daemon.standardError.split(separator: "\n")
        let objects = try lines.map { try JSONValue(parsing: Array($0.utf8)) }
        let probe = try #require(objects.first { $0["message"]?.string == "The probe works" })
        #expect(probe["facts"]?["market"]?.string == "0xabc")
        #expect(probe["facts"]?["private_key"]?.string == "(not shown)")
        #expect(probe["daemon"]?.string == "probed")
    }

    @Test func withoutATerminalAHangUpHasNoEffect() async throws {
        let daemon = try self.start()
        #expect(await daemon.says("probed: Started"))
        daemon.send(SIGHUP)
        #expect(await daemon.says("SIGHUP has no effect"))
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
    }

    @Test func memoryStaysOutOfDumpsWhenAsked() async throws {
        let daemon = try self.start(probe: "no-dumps")
        #expect(await daemon.says("probed: Started"))
        let limits = DaemonTest.read("/proc/\(daemon.process)/limits")
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(line.split(separator: " ").filter { $0 == "0" }.count == 2)
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
    }

    @Test func aSecretThatIsNotItsOwnIsNotKept() async throws {
        let key = "0x" + String(repeating: "4f", count: 32)
        let directory = try DaemonTestDirectory()
        try directory.write("POLYGON_PRIVATE_KEY=\(key)\n", to: ".env")
        let daemon = try DaemonProcess(
            environment: ["POLYGON_PRIVATE_KEY": key, "PROBE": "tell-secrets", "OTHER": "kept"], directory: directory)
        #expect(await daemon.says("probed: Started"))
        #expect(daemon.standardError.contains("The probe knows secrets names=0\n"))
        let limits = DaemonTest.read("/proc/\(daemon.process)/limits")
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(line.split(separator: " ").filter { $0 == "0" }.count == 2)
        // Root alone may look: the process's memory is nobody's business.
        let environment = DaemonTest.read("/proc/\(daemon.process)/environ")
        #expect(!environment.contains("4f4f"))
        if getuid() == 0 { #expect(environment.contains("OTHER=kept")) }
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
    }

    @Test func everyStartIsAnInstanceOfItsOwn() async throws {
        var instances: Set<Substring> = []
        for _ in 0..<2 {
            let daemon = try self.start()
            #expect(await daemon.says("probed: Started"))
            daemon.send(SIGTERM)
            _ = await daemon.exitCode()
            let instance = try #require(daemon.standardError.split(separator: " ").first { $0.hasPrefix("instance=") })
            #expect(instance.count == "instance=".count + 16)
            instances.insert(instance)
        }
        #expect(instances.count == 2)
    }
}
