import DaemonKit
import Glibc
import Shared
import Testing

@testable import polybot

@Suite struct StatusReportTests {
    private func unit(
        _ daemon: ChildName, _ state: String = "active/running", pid: Int64 = 100, restarts: Int = 0,
        result: String = "success", status: Int = 0, says: String = ""
    ) -> String {
        let states = state.split(separator: "/")
        return """
            Id=\(daemon.unit)
            LoadState=loaded
            ActiveState=\(states[0])
            SubState=\(states[1])
            Result=\(result)
            NRestarts=\(restarts)
            MainPID=\(pid)
            MemoryCurrent=12902400
            MemoryMax=536870912
            StatusText=\(says)
            ExecMainCode=1
            ExecMainStatus=\(status)
            ActiveEnterTimestampMonotonic=1000000
            InactiveEnterTimestampMonotonic=1000000
            """
    }

    private func report(
        answering: [ChildName: Int64] = [.scannerd: 100, .feedd: 100, .stratd: 100], trusted: Int64 = 25,
        problem: String = "connect: Connection refused", units: [String] = [], systemctl: String? = nil
    ) throws -> StatusReport {
        var picture = Picture()
        for daemon in ChildName.daemons {
            if let pid = answering[daemon] {
                picture.connected(daemon, Samples.hello(daemon, pid: pid))
            } else {
                picture.disconnected(daemon, problem)
            }
        }
        if answering[.feedd] != nil { try picture.take(Samples.feed(markets: 25, trusted: trusted), from: .feedd) }
        return StatusReport(
            picture: picture, directory: "/nonexistent",
            systemd: .init(units: UnitState.all(in: units.joined(separator: "\n\n")), problem: systemctl),
            now: Samples.second(3_663))
    }

    @Test func allIsWellAndShown() throws {
        let report = try self.report(units: [
            self.unit(.scannerd), self.unit(.feedd, restarts: 2, says: "websocket\u{7}"), self.unit(.stratd),
        ])
        #expect(report.problems == [] && report.notes == [] && !report.isNothingThere)
        #expect(report.rows[.feedd] == .init(state: "running", pid: 100, restarts: 2))
        let lines = StatusScreen.render(
            report.picture,
            RunView(venue: "", elapsed: nil, mode: .paper, children: report.rows, units: report.units, note: ""),
            width: 100, height: 40)
        let row = try #require(lines.first { $0.hasPrefix("feedd") && $0.contains("active/running") })
        #expect(row.hasSuffix("01:01:02     100        2   12.3 of 512.0 MiB"))
        #expect(lines.contains("         websocket?"))
    }

    @Test func withoutSystemdItIsAsItWas() throws {
        let report = try self.report(answering: [.scannerd: 1, .stratd: 2])
        #expect(report.problems == ["feedd does not answer.", "No book is trusted."])
        #expect(report.notes == [] && report.units == [] && !report.isNothingThere)
        #expect(report.rows[.feedd] == .init(state: "no answer", pid: nil, restarts: nil))
    }

    @Test func aFailedUnitIsNamedWithItsReason() throws {
        let failed = self.unit(
            .feedd, "failed/failed", pid: 0, restarts: 3, result: "exit-code", status: 78,
            says: "feed.silence_max_s is \"x\"")
        let report = try self.report(answering: [.scannerd: 100, .stratd: 100], units: [failed])
        #expect(
            report.problems.first
                == "feedd does not answer: polybot-feedd.service has failed (exit-code 78: wrong configuration), "
                + "restarted 3 times: feed.silence_max_s is \"x\".")
        #expect(report.units.contains("         exit-code 78: wrong configuration · feed.silence_max_s is \"x\""))
    }

    @Test func oneThatRestartsAgainAndAgainIsToldWithTheCount() throws {
        let again = self.unit(.stratd, "activating/auto-restart", pid: 0, restarts: 12, result: "exit-code", status: 70)
        let report = try self.report(answering: [.scannerd: 100, .feedd: 100], units: [again])
        #expect(
            report.problems == [
                "stratd does not answer: polybot-stratd.service is activating/auto-restart (exit-code 70: a bug), "
                    + "restarted 12 times."
            ])
    }

    @Test func activeAndSilentIsSaid() throws {
        let report = try self.report(
            answering: [.feedd: 100, .stratd: 100], units: [self.unit(.scannerd, restarts: 1)])
        #expect(
            report.problems == [
                "scannerd does not answer, although polybot-scannerd.service is active as process 100, restarted once."
            ])
    }

    @Test func aProcessThatIsNotTheUnitsIsANote() throws {
        let report = try self.report(
            answering: [.scannerd: 100, .feedd: 7, .stratd: 8],
            units: [self.unit(.scannerd), self.unit(.feedd, "inactive/dead", pid: 0), self.unit(.stratd)])
        #expect(report.problems == [])
        #expect(
            report.notes == [
                "feedd answers as process 7, which is not the unit's: somebody runs it by hand. "
                    + "polybot-feedd.service is stopped.",
                "stratd answers as process 8, which is not the unit's: somebody runs it by hand. "
                    + "polybot-stratd.service is active as process 100.",
            ])
    }

    @Test func aSocketThatLetsUsNotInIsSaid() throws {
        let report = try self.report(
            answering: [:], problem: SystemError("connect", code: EACCES).description, units: [self.unit(.feedd)])
        #expect(!report.isNothingThere)
        #expect(report.rows[.feedd]?.state == "no access")
        #expect(
            report.problems.first == "scannerd does not answer: no permission: the daemons there are another user's.")
        let alone = try self.report(answering: [:], problem: SystemError("connect", code: EACCES).description)
        #expect(alone.isNothingThere && alone.nothing.contains("no permission"))
    }

    @Test func nothingIsThereOnlyWhenSystemdHasNothingEither() throws {
        #expect(try self.report(answering: [:]).nothing.contains("start them with polybot run, or"))
        let stopped = try self.report(answering: [:], units: [self.unit(.feedd, "inactive/dead", pid: 0)])
        #expect(stopped.isNothingThere && stopped.nothing.contains("systemctl start polybot.target"))
        for state in ["active/running", "failed/failed", "activating/start"] {
            #expect(!(try self.report(answering: [:], units: [self.unit(.feedd, state)]).isNothingThere))
        }
        #expect(try self.report(answering: [:], systemctl: "systemctl hangs.").nothing.hasSuffix(" systemctl hangs."))
        #expect(try self.report(systemctl: "systemctl hangs.").notes == ["systemctl hangs."])
    }

    @Test func programsGetTheSame() throws {
        let report = try self.report(
            answering: [.scannerd: 100, .feedd: 7, .stratd: 100],
            units: [self.unit(.feedd, restarts: 2, says: "a \"b\"").replacing("536870912", with: "infinity")])
        let text = Summary(isOK: true, venue: "unknown", status: report).json(report.picture)
        let json = try JSONValue(parsing: text)
        #expect(json["runtime_dir"]?.string == "/nonexistent" && json["notes"]?.array?.count == 1)
        let unit = try #require(json["systemd"]?["feedd"])
        #expect(unit["active"]?.string == "active" && unit["sub"]?.string == "running")
        #expect(unit["result"]?.string == "success" && unit["status"]?.string == "a \"b\"")
        #expect(unit["pid"]?.integer == 100 && unit["answering_pid"]?.integer == 7 && unit["restarts"]?.integer == 2)
        #expect(unit["since_s"]?.integer == 3_662 && unit["memory"]?.integer == 12_902_400)
        #expect(unit.object?["memory_max"] == .null && unit["exit_status"]?.integer == 0)
        #expect(json["systemd"]?["stratd"] == nil)
        let run = try JSONValue(parsing: Summary(isOK: true, venue: "unknown").json(report.picture))
        #expect(run["systemd"] == nil && run["runtime_dir"] == nil && run["error"] == nil)
    }
}

@Suite struct SocketDirectoryTests {
    private func choice(served: [String], hasUnits: Bool = false) -> String {
        SocketDirectory.choose(own: "/own", isServed: served.contains, hasUnits: { hasUnits })
    }

    @Test func theUsersOwnGoesBeforeThatOfTheUnits() {
        #expect(self.choice(served: ["/own", "/run/polybot"], hasUnits: true) == "/own")
        #expect(self.choice(served: ["/run/polybot"]) == "/run/polybot")
        #expect(self.choice(served: [], hasUnits: true) == "/run/polybot")
        #expect(self.choice(served: []) == "/own")
    }

    @Test func aCommandAsksWhichStratdIsMeantWhereTwoAnswer() throws {
        func choice(
            _ served: [String], others: [String] = [], own: String = "/own", hasUnits: Bool = false
        ) throws -> String {
            try SocketDirectory.chooseForCommand(
                own: own, isOfUnits: { $0 == "/link" }, isServed: served.contains,
                hasOthers: others.contains, hasUnits: { hasUnits })
        }
        let refusal = #expect(throws: DaemonExit.self) { try choice(["/own", "/run/polybot"]) }
        #expect(refusal?.code == .usage)
        for word in ["in /own", "in /run/polybot", "--runtime-dir /own", "--runtime-dir /run/polybot"] {
            #expect(refusal?.message.contains(word) == true, "\(word)")
        }
        #expect(try choice(["/own"]) == "/own")
        #expect(try choice(["/run/polybot"]) == "/run/polybot")
        #expect(try choice([], hasUnits: true) == "/run/polybot")
        #expect(try choice([]) == "/own")
        // A stratd of one's own that is just being started is not replaced by the units'.
        let absent = #expect(throws: DaemonExit.self) { try choice(["/run/polybot"], others: ["/own"]) }
        #expect(absent?.code == .usage && absent?.message.contains("without a stratd run in /own") == true)
        #expect(try choice(["/own"], others: ["/own", "/run/polybot"]) == "/own")
        // One directory with two names has one stratd.
        #expect(try choice(["/link", "/run/polybot"], own: "/link") == "/link")
    }

    @Test func forACommandOtherDaemonsDoNotCount() throws {
        let directory = TemporaryDirectory()
        let feed = try UnixListener.bind(directory.file("feedd.sock"), mode: 0o600)
        #expect(!SocketDirectory.hasStrategy(directory.path))
        let strategy = try UnixListener.bind(directory.file("stratd.sock"), mode: 0o600)
        #expect(SocketDirectory.hasStrategy(directory.path))
        close(feed.descriptor)
        close(strategy.descriptor)
    }

    @Test func aSocketThatNobodyListensOnDoesNotCount() throws {
        let directory = TemporaryDirectory()
        #expect(!SocketDirectory.isServed(directory.path))
        let listener = try UnixListener.bind(directory.file("feedd.sock"), mode: 0o600)
        #expect(SocketDirectory.isServed(directory.path))
        close(listener.descriptor)
        #expect(directory.has("feedd.sock") && !SocketDirectory.isServed(directory.path))
    }
}
