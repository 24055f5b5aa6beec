import Foundation
import Testing

/// One daemon run by hand while systemd runs the rest: beside its unit and in its place, and what `polybot status` tells of
/// the units.
@Suite(.serialized, .whereSystemdCanRun, InLab(name: "debug")) struct DebugRunTests {
    private var lab: Lab { get throws { try #require(InLab.lab) } }

    private func runningLab() async throws -> Lab {
        let lab = try self.lab
        try lab.startVenueOnce()
        #expect(lab.systemctl("start", "polybot.target").code == 0)
        try #require(await lab.waits(.seconds(15)) { lab.isWhole }, "\(lab.systemctl("status", "polybot-*"))")
        return lab
    }

    @Test func theStatusJoinsTheDaemonsAnswersAndTheirUnits() async throws {
        let lab = try await self.runningLab()
        // Nobody runs anything in root's own directory: the units' one is found.
        let shown = lab.exec("polybot", "status")
        #expect(shown.code == 0, "\(shown)")
        #expect(shown.lines.first?.contains("/run/polybot") == true, "\(shown)")
        for daemon in Lab.daemons {
            let pid = lab.show("MainPID", of: daemon)
            let row = shown.lines.first { $0.hasPrefix(daemon) && $0.contains("active/running") }
            #expect(row?.contains(" \(pid) ") == true && row?.contains(" of ") == true, "\(shown)")
        }
        #expect(shown.text.contains("books trusted"), "\(shown)")
        let json = try #require(lab.defaultStatus())
        #expect(json.code == 0 && json.members["runtime_dir"] as? String == "/run/polybot")
        for daemon in Lab.daemons {
            let unit = try #require(json.units[daemon])
            #expect(unit["active"] as? String == "active" && unit["sub"] as? String == "running")
            #expect(unit["result"] as? String == "success" && unit["restarts"] as? Int == lab.restarts(of: daemon))
            #expect(unit["pid"] as? Int == Int(lab.show("MainPID", of: daemon)))
            #expect(unit["answering_pid"] as? Int == unit["pid"] as? Int)
            #expect(unit["memory_max"] as? Int == Int(lab.show("MemoryMax", of: daemon)))
            #expect((unit["memory"] as? Int ?? 0) > 1 << 20 && (unit["since_s"] as? Int).map { $0 < 600 } == true)
        }
        #expect(lab.exec("polybot", "tap", "stratd", "--count", "1").code == 0)
    }

    @Test func whoIsNoMemberIsToldToBecomeOne() async throws {
        let lab = try await self.runningLab()
        let stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "polybot"]
        let tap = lab.exec(stranger + ["tap", "feedd"])
        #expect(tap.code == 69 && tap.text.contains("be a member of group polybot"), "\(tap)")
        let status = lab.exec(stranger + ["status"])
        #expect(status.code != 0 && status.text.contains("no permission: be a member of group polybot"), "\(status)")
    }

    @Test func aUnitThatFailedIsNamedWithItsReason() async throws {
        let lab = try await self.runningLab()
        lab.write("/etc/polybot/polybot.toml", lab.configuration + "silence_max_s = \"long\"\n")
        #expect(lab.systemctl("restart", "polybot-feedd.service").code != 0)
        defer {
            lab.write("/etc/polybot/polybot.toml", lab.configuration)
            lab.forgetEnds()
        }
        let shown = lab.exec("polybot", "status")
        #expect(shown.code == 1, "\(shown)")
        let sentence = shown.lines.first { $0.hasPrefix("feedd does not answer: ") }
        #expect(
            sentence?.contains("polybot-feedd.service has failed (exit-code 78: wrong configuration)") == true
                && sentence?.contains("silence_max_s") == true, "\(shown)")
        let unit = try #require(lab.defaultStatus()?.units["feedd"])
        #expect(unit["active"] as? String == "failed" && unit["exit_status"] as? Int == 78)
        #expect(unit["pid"] is NSNull && (unit["status"] as? String)?.contains("silence_max_s") == true)
        // All stopped is nothing to tell; one that has failed is.
        #expect(lab.systemctl("stop", "polybot-scannerd.service", "polybot-stratd.service").code == 0)
        #expect(lab.exec("polybot", "status").code == 1)
        lab.forgetEnds()
        let nothing = lab.exec("polybot", "status", "--runtime-dir", "/run/polybot")
        #expect(nothing.code == 69 && nothing.text.contains("systemctl start polybot.target"), "\(nothing)")
    }

    @Test func aDaemonUnderTheMicroscopeDisturbsNobody() async throws {
        let lab = try await self.runningLab()
        let before = Lab.daemons.map { [lab.show("MainPID", of: $0), lab.show("NRestarts", of: $0)] }
        let second = try lab.runByHand(
            "stratd", user: "polybot-stratd",
            ["--runtime-dir", "/tmp/me", "--state-dir", "/tmp/me/state", "--peers-dir", "/run/polybot"])
        #expect(
            await lab.waits(.seconds(10)) {
                ["Frame received .* type=book$", "Decision action=quote "].allSatisfy(second.hasLogged)
            }, "\(second.log)")
        #expect(lab.exec("stat", "-c", "%a %U", "/tmp/me/stratd.sock").trimmed == "600 polybot-stratd")
        // The one that runs is asked as before, and each has its own ledger.
        let json = try #require(lab.defaultStatus())
        #expect(json.code == 0 && (json.members["notes"] as? [String])?.isEmpty == true, "\(json.members)")
        #expect(lab.shell("ls /tmp/me/state").text.contains("ledger-"))
        second.stop()
        #expect(Lab.daemons.map { [lab.show("MainPID", of: $0), lab.show("NRestarts", of: $0)] } == before)
        #expect(lab.shell("ls /tmp/me").trimmed == "state")
    }

    @Test func aCommandIsForOneOfTwoStratdsOnlyWhenItSaysWhich() async throws {
        let lab = try await self.runningLab()
        let command = lab.exec("polybot", "resume")
        #expect(command.code == 0 && command.trimmed == "resumed (paper trading in /run/polybot)", "\(command)")
        // In root's own directory, as polybot run has its own.
        let own = try lab.runByHand("stratd", user: "root", ["--state-dir", "/tmp/own"])
        #expect(await lab.waits(.seconds(10)) { lab.exec("polybot", "halt").code == 64 }, "\(own.log)")
        let refused = lab.exec("polybot", "halt")
        #expect(refused.code == 64 && refused.text.contains("--runtime-dir /run/polybot"), "\(refused)")
        for word in ["halt", "resume"] {
            let said = lab.exec("polybot", word, "--runtime-dir", "/run/polybot")
            #expect(said.code == 0 && said.text.contains("(paper trading in /run/polybot)"), "\(said)")
        }
        #expect(lab.systemctl("stop", "polybot-stratd.service").code == 0)
        let mine = lab.exec("polybot", "halt")
        #expect(mine.code == 0 && !mine.text.contains("/run/polybot)"), "\(mine)")
        own.stop()
        lab.forgetEnds()
        #expect(lab.systemctl("start", "polybot-stratd.service").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
    }

    @Test func aDaemonInTheUnitsPlaceServesTheOthers() async throws {
        let lab = try await self.runningLab()
        let strategy = lab.show("MainPID", of: "stratd")
        #expect(lab.systemctl("stop", "polybot-feedd.service").code == 0)
        let byHand = try lab.runByHand(
            "feedd", user: "polybot-feedd",
            ["--runtime-dir", "/run/polybot", "--state-dir", "/var/lib/polybot/feedd"])
        #expect(
            await lab.waits(.seconds(10)) {
                lab.show("StatusText", of: "stratd").firstMatch(of: /[1-9][0-9]* trusted books/) != nil
            },
            "\(lab.show("StatusText", of: "stratd"))\n\(byHand.log)")
        #expect(
            lab.exec("stat", "-c", "%a %U %G", "/run/polybot/feedd.sock").trimmed == "660 polybot-feedd polybot")
        let json = try #require(lab.defaultStatus())
        let unit = try #require(json.units["feedd"])
        #expect(json.code == 0 && unit["active"] as? String == "inactive", "\(json.members)")
        #expect(unit["answering_pid"] as? Int == byHand.pid && unit["pid"] is NSNull, "\(unit)")
        let note = (json.members["notes"] as? [String])?.first
        #expect(note?.contains("feedd answers as process \(byHand.pid), which is not the unit's") == true)
        // The unit does not push it aside, nor does its hook take the socket away.
        let socket = lab.exec("stat", "-c", "%i", "/run/polybot/feedd.sock").trimmed
        #expect(lab.systemctl("start", "polybot-feedd.service").code != 0)
        #expect(lab.show("ExecMainStatus", of: "feedd") == "77")
        #expect(lab.exec("stat", "-c", "%i", "/run/polybot/feedd.sock").trimmed == socket)
        #expect(lab.exec("polybot", "tap", "feedd", "--count", "1").code == 0)
        byHand.stop()
        lab.forgetEnds()
        #expect(lab.systemctl("start", "polybot-feedd.service").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
        #expect(lab.show("MainPID", of: "stratd") == strategy)
    }
}

extension Lab {
    /// A daemon that a person started in a terminal, with a trace that goes to a file.
    struct ByHand {
        let lab: Lab
        let pid: Int
        let file: String

        /// How the log ends.
        var log: String { self.lab.exec("tail", "-c", "2000", self.file).text }

        func hasLogged(_ pattern: String) -> Bool { self.lab.exec("grep", "-qE", pattern, self.file).code == 0 }

        /// Asks it to stop; returns when it has ended.
        func stop() {
            _ = self.lab.shell(
                "kill -TERM \(self.pid); timeout 15 tail --pid=\(self.pid) -f /dev/null || kill -KILL \(self.pid)")
        }
    }

    func runByHand(_ daemon: String, user: String, _ arguments: [String]) throws -> ByHand {
        let file = "/tmp/\(daemon).by-hand"
        // Not from a shell of ours: what that has open would stay open as long as the daemon lives.
        let begun = self.exec(
            ["systemd-run", "--quiet", "--collect", "--property=StandardOutput=truncate:\(file)", "runuser"]
                + ["-u", user, "--", "/usr/local/bin/\(daemon)", "--config", "/etc/polybot/polybot.toml"] + arguments
                + ["--log-level", "trace"])
        let started = self.shell(
            "for i in {1..100}; do pgrep -n -u \(user) -f '^/usr/local/bin/\(daemon) .*--log-level trace' && exit; "
                + "sleep 0.05; done; exit 1")
        guard let pid = Int(started.trimmed) else {
            throw Failure(description: "\(daemon) by hand: \(begun) \(started) \(self.exec("cat", file))")
        }
        return ByHand(lab: self, pid: pid, file: file)
    }

    /// What `polybot status --json` says without being told where to look.
    func defaultStatus() -> (code: Int32, members: [String: Any], units: [String: [String: Any]])? {
        let output = self.exec("polybot", "status", "--json")
        let object = try? JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any]
        return object.map { (output.code, $0, $0["systemd"] as? [String: [String: Any]] ?? [:]) }
    }
}
