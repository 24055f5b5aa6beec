import Foundation
import Testing

/// What an operator fears, done on purpose to each daemon: restarted for the right reason, whole again in time, and the
/// journal tells the story.
@Suite(.serialized, .whereSystemdCanRun, InLab(name: "drills")) struct DrillTests {
    private var lab: Lab { get throws { try #require(InLab.lab) } }
    /// `WatchdogSec=` of the units.
    private static let watchdog = Duration.seconds(10)
    /// What a daemon has to be whole again, beyond the limit that finds it out.
    private static let recovery = Duration.seconds(2)
    /// A slow machine's share: the limits are the units', the waits are ours.
    private static let allowance = Duration.seconds(3)

    private func runningLab() async throws -> Lab {
        let lab = try self.lab
        if lab.systemctl("is-active", "-q", "venue.service").code != 0 {
            // Drills are asked for by signals, and only where the unit allows them.
            for daemon in Lab.daemons {
                lab.write(
                    "/etc/systemd/system/\(Lab.unit(daemon)).d/drill.conf", "[Service]\nEnvironment=POLYBOT_DRILLS=1\n")
            }
            #expect(lab.systemctl("daemon-reload").code == 0)
        }
        try await lab.bringUp()
        return lab
    }

    @Test(arguments: [("KILL", "9/KILL"), ("SEGV", "11/SEGV")])
    func aDeathIsHealedAndTold(signal: String, told: String) async throws {
        let lab = try await self.runningLab()
        for daemon in Lab.daemons {
            lab.forgetEnds()
            let began = lab.moment()
            let restarts = lab.restarts(of: daemon)
            _ = lab.systemctl("kill", "-s", signal, "--kill-who=main", Lab.unit(daemon))
            #expect(
                await lab.waits(Self.recovery + Self.allowance) {
                    lab.restarts(of: daemon) == restarts + 1 && lab.isWhole
                })
            let story = lab.journal(daemon, since: began)
            #expect(story.contains("status=\(told)"), "\(story)")
            #expect(story.contains("Daemon ended result=signal status=\(signal)"), "\(story)")
            #expect(story.contains("Took over the kept listener"), "\(story)")
        }
    }

    /// A stopped process, a stuck loop and a thread beside it that is stuck fall silent; all three daemons at once, as each takes the watchdog's ten seconds.
    @Test(arguments: ["STOP", "USR1", "USR2"]) func silenceIsFoundOutByTheWatchdog(signal: String) async throws {
        let lab = try await self.runningLab()
        let began = lab.moment()
        let restarts = Lab.daemons.map(lab.restarts)
        for daemon in Lab.daemons { _ = lab.systemctl("kill", "-s", signal, "--kill-who=main", Lab.unit(daemon)) }
        // Work that waits this long in a stuck thread is what the beat goes by, before the watchdog's own limit.
        let noticed = signal == "USR2" ? Duration.seconds(10) : .zero
        let limit = noticed + Self.watchdog + Self.recovery + Self.allowance
        #expect(
            await lab.waits(limit) { Lab.daemons.map(lab.restarts) == restarts.map { $0 + 1 } && lab.isWhole },
            "\(lab.systemctl("status", "polybot-*"))")
        for daemon in Lab.daemons {
            let story = lab.journal(daemon, since: began)
            #expect(story.contains("Watchdog timeout"), "\(story)")
            #expect(story.contains("Daemon ended result=watchdog status=ABRT"), "\(story)")
            if signal == "USR2" {
                #expect(story.contains("The watchdog is not fed: a part does not advance"), "\(story)")
            }
            if signal == "USR1" { #expect(story.contains("The loop is stuck on purpose"), "\(story)") }
        }
    }

    @Test func aQuietMarketIsNoReasonToRestart() async throws {
        let lab = try await self.runningLab()
        let restarts = Lab.daemons.map(lab.restarts)
        lab.stopVenue()
        try await Task.sleep(for: Self.watchdog + .seconds(2))
        #expect(Lab.daemons.map(lab.restarts) == restarts && Lab.daemons.allSatisfy(lab.isActive))
        try lab.startVenue()
    }

    @Test func endsInARowAreMadeToWait() async throws {
        let lab = try await self.runningLab()
        let began = lab.moment()
        #expect(lab.shell("read -r up _ < /proc/uptime; echo 9 ${up%.*} > /run/polybot-ends/stratd").code == 0)
        _ = lab.systemctl("kill", "-s", "KILL", "polybot-stratd.service")
        #expect(await lab.waits(.seconds(5)) { lab.journal("stratd", since: began).contains("ends=9 wait_s=16") })
        #expect(lab.show("SubState", of: "stratd") == "start-pre")
        // A stop does not wait for that, and with a start a person says that it is well now.
        let stopped = ContinuousClock.now
        #expect(lab.systemctl("stop", "polybot-stratd.service").code == 0)
        #expect(lab.systemctl("start", "polybot-stratd.service").code == 0)
        #expect(ContinuousClock.now - stopped < .seconds(8))
        #expect(await lab.waits(.seconds(5)) { lab.show("StatusText", of: "stratd").contains("trading on paper") })
    }

    /// The row of ends is read again by every start: nonsense in it is none.
    @Test(arguments: ["", "x y", "-1 -1", "99999999999999999999 1"]) func aRowThatCannotBeReadIsNoRow(
        row: String
    ) throws {
        let lab = try self.lab
        #expect(lab.shell("systemctl stop polybot-scannerd; echo '\(row)' > /run/polybot-ends/scannerd").code == 0)
        let began = lab.moment()
        #expect(lab.systemctl("start", "polybot-scannerd.service").code == 0)
        #expect(!lab.journal("scannerd", since: began).contains("Ended too often"))
    }

    @Test func anAlertIsCalledForAnEndThatNobodyAskedForAndHoldsUpNoRestart() async throws {
        let lab = try await self.runningLab()
        lab.write(
            "/etc/polybot/alert",
            "#!/bin/sh\necho \"$1 $POLYBOT_DAEMON $POLYBOT_RESULT $POLYBOT_STATUS\" >> /run/alerts\nsleep 30\n")
        #expect(lab.exec("chmod", "755", "/etc/polybot/alert").code == 0)
        #expect(lab.systemctl("restart", "polybot-feedd.service").code == 0)
        let restarts = lab.restarts(of: "feedd")
        _ = lab.systemctl("kill", "-s", "KILL", "--kill-who=main", "polybot-feedd.service")
        #expect(
            await lab.waits(Self.recovery + Self.allowance) { lab.restarts(of: "feedd") == restarts + 1 && lab.isWhole }
        )
        #expect(lab.exec("cat", "/run/alerts").lines == ["polybot-feedd.service feedd signal KILL"])
        #expect(lab.exec("rm", "/etc/polybot/alert").code == 0)
    }
}
