import Foundation
import Testing

/// Disasters around the daemons: a clear state and message each, no storm of restarts, and healed when the cause goes.
@Suite(.serialized, .whereSystemdCanRun, InLab(name: "disasters")) struct DisasterTests {
    private var lab: Lab { get throws { try #require(InLab.lab) } }

    private func runningLab() async throws -> Lab {
        let lab = try self.lab
        try await lab.bringUp()
        return lab
    }

    @Test func aBrokenConfigurationIsSaidOnceAndNotRestarted() async throws {
        let lab = try await self.runningLab()
        let began = lab.moment()
        lab.write("/etc/polybot/polybot.toml", lab.configuration + "reconnect_delays = 3\n[feeds]\n")
        #expect(lab.systemctl("restart", "polybot-feedd.service").code != 0)
        #expect(lab.show("ActiveState", of: "feedd") == "failed")
        #expect(lab.show("ExecMainStatus", of: "feedd") == "78")
        #expect(lab.restarts(of: "feedd") == 0)
        #expect(lab.show("StatusText", of: "feedd").contains("feed.reconnect_delays: is not a key"))
        let story = lab.journal("feedd", since: began)
        #expect(
            story.contains("Cannot start code=78") && story.contains("the nearest is feed.reconnect_delay_s"),
            "\(story)")
        // It left no socket behind, and the others are as they were.
        #expect(lab.sockets == ["scannerd.sock", "stratd.sock"])
        #expect(lab.isActive("scannerd") && lab.isActive("stratd"))
        lab.write("/etc/polybot/polybot.toml", lab.configuration)
        #expect(lab.systemctl("start", "polybot.target").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
    }

    @Test func aRemovedSocketDirectoryComesBack() async throws {
        let lab = try await self.runningLab()
        let restarts = Lab.daemons.map(lab.restarts)
        let began = lab.moment()
        #expect(lab.shell("rm -rf /run/polybot").code == 0)
        let isBack = await lab.waits(.seconds(15)) {
            lab.sockets.count == 3 && lab.isWhole
        }
        #expect(isBack, "\(lab.systemctl("status", "polybot-*"))")
        for (daemon, before) in zip(Lab.daemons, restarts) {
            #expect(lab.restarts(of: daemon) - before <= 2)
            #expect(lab.journal(daemon, since: began).contains("The socket "))
        }
        #expect(lab.exec("stat", "-c", "%a %G", "/run/polybot").trimmed == "1771 polybot-daemons")
    }

    @Test func aRestartedJournalGetsTheNextLines() async throws {
        let lab = try await self.runningLab()
        #expect(lab.systemctl("restart", "systemd-journald.service").code == 0)
        let began = lab.moment()
        lab.stopVenue()
        #expect(await lab.waits(.seconds(10)) { lab.journal("feedd", since: began).contains("not trusted") })
        #expect(Lab.daemons.allSatisfy(lab.isActive))
        try lab.startVenue()
        #expect(await lab.waits(.seconds(20)) { lab.isWhole })
    }

    @Test func aFullDiskHaltsTradingAndNothingElse() async throws {
        let lab = try await self.runningLab()
        lab.stopAll()
        // A disk of its own for the ledger, and full.
        let disk = """
            set -e; cp -a /var/lib/polybot/stratd /run/stratd.saved
            mount -t tmpfs -o size=1m,mode=700,uid=$(id -u polybot-stratd),gid=$(getent group polybot | cut -d: -f3) \
                tmpfs /var/lib/polybot/stratd
            head -c 2M /dev/zero > /var/lib/polybot/stratd/ballast || true
            """
        #expect(lab.shell(disk).code == 0)
        let began = lab.moment()
        #expect(lab.systemctl("start", "polybot.target").code == 0)
        #expect(
            await lab.waits(.seconds(15)) { lab.show("StatusText", of: "stratd").contains("halted (journal") },
            "\(lab.show("StatusText", of: "stratd"))")
        #expect(lab.restarts(of: "stratd") == 0 && lab.isActive("feedd"))
        #expect(lab.journal("stratd", since: began).contains("No space left on device"))
        // With room again the journal is written, and a person may resume.
        #expect(lab.shell("rm /var/lib/polybot/stratd/ballast").code == 0)
        #expect(
            await lab.waits(.seconds(5)) {
                lab.journal("stratd", since: began).contains("The journal takes records again")
            })
        lab.stopAll()
        #expect(lab.shell("umount /var/lib/polybot/stratd").code == 0)
    }

    @Test func aMemoryLimitKillsOneDaemonAndIsTold() async throws {
        let lab = try await self.runningLab()
        let began = lab.moment()
        let restarts = lab.restarts(of: "scannerd")
        #expect(lab.systemctl("set-property", "--runtime", "polybot-scannerd.service", "MemoryMax=2M").code == 0)
        _ = lab.systemctl("kill", "-s", "KILL", "polybot-scannerd.service")
        #expect(await lab.waits(.seconds(10)) { lab.restarts(of: "scannerd") >= restarts + 2 })
        try await Task.sleep(for: .seconds(10))
        // Neither a storm nor the end of it: each start waits longer than the one before.
        let count = lab.restarts(of: "scannerd") - restarts
        #expect(count < 15, "\(count) restarts")
        let story = lab.journal("scannerd", since: began)
        #expect(story.contains("Daemon ended result="), "\(story)")
        #expect(lab.isActive("feedd") && lab.isActive("stratd"))
        #expect(lab.systemctl("set-property", "--runtime", "polybot-scannerd.service", "MemoryMax=256M").code == 0)
        #expect(await lab.waits(.seconds(45)) { lab.isWhole }, "\(lab.systemctl("status", "polybot-scannerd"))")
    }

    @Test func aCredentialThatIsNamedAndMissingIsSaidOnce() async throws {
        let lab = try await self.runningLab()
        lab.write(
            "/etc/systemd/system/polybot-stratd.service.d/key.conf",
            "[Service]\nLoadCredential=private_key:/etc/polybot/no-such-key\n")
        #expect(lab.systemctl("daemon-reload").code == 0)
        let began = lab.moment()
        #expect(lab.systemctl("restart", "polybot-stratd.service").code != 0)
        #expect(lab.show("ExecMainStatus", of: "stratd") == "243" && lab.restarts(of: "stratd") == 0)
        #expect(lab.journal("stratd", since: began).contains("Failed to set up credentials"))
        #expect(lab.shell("rm -r /etc/systemd/system/polybot-stratd.service.d; systemctl daemon-reload").code == 0)
        #expect(lab.systemctl("start", "polybot.target").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
    }

    @Test func aCredentialThatCannotBeUsedIsNamedAndPaperTradingGoesOn() async throws {
        let lab = try await self.runningLab()
        let key = "/etc/credstore/polybot.private_key"
        lab.write(key, "0x1234 this is no key\n")
        let began = lab.moment()
        #expect(lab.systemctl("restart", "polybot-stratd.service").code == 0)
        #expect(
            await lab.waits(.seconds(5)) { lab.show("StatusText", of: "stratd").contains("credential private_key") })
        #expect(lab.show("StatusText", of: "stratd").contains("trading on paper") && lab.restarts(of: "stratd") == 0)
        let story = lab.journal("stratd", since: began)
        #expect(story.contains("A credential cannot be used") && !story.contains("1234"), "\(story)")
        // Nobody else is given it: feedd may have what reads prices, and nothing else.
        for daemon in Lab.daemons {
            let environment = lab.shell(
                "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID \(Lab.unit(daemon)))/environ")
            let mayHaveSome = daemon == "stratd" || daemon == "feedd"
            #expect(environment.text.contains("CREDENTIALS_DIRECTORY") == mayHaveSome, "\(daemon)")
            let hasKey = lab.shell("test -e /run/credentials/\(Lab.unit(daemon))/private_key").code == 0
            #expect(hasKey == (daemon == "stratd"), "\(daemon)")
        }
        lab.write(key, "0x" + String(repeating: "ab", count: 32) + "\n")
        #expect(lab.systemctl("restart", "polybot-stratd.service").code == 0)
        #expect(await lab.waits(.seconds(5)) { lab.show("StatusText", of: "stratd").contains("trading on paper") })
        #expect(!lab.show("StatusText", of: "stratd").contains("credential"))
        #expect(lab.exec("rm", key).code == 0)
    }

    @Test func aDeadSocketOfSomebodyElseIsCleanedAway() async throws {
        let lab = try await self.runningLab()
        #expect(lab.systemctl("stop", "polybot-feedd.service").code == 0)
        let bind = "import socket; socket.socket(socket.AF_UNIX).bind('/run/polybot/feedd.sock')"
        #expect(lab.exec("/usr/bin/python3", "-c", bind).code == 0)
        #expect(lab.exec("stat", "-c", "%U", "/run/polybot/feedd.sock").trimmed == "root")
        #expect(lab.systemctl("start", "polybot-feedd.service").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
        #expect(lab.exec("stat", "-c", "%U", "/run/polybot/feedd.sock").trimmed == "polybot-feedd")
    }

    /// A feed that is made to wait holds up nobody else.
    @Test func aBackOffOfOneIsNoneOfTheOthers() async throws {
        let lab = try await self.runningLab()
        #expect(lab.shell("read -r up _ < /proc/uptime; echo 9 ${up%.*} > /run/polybot-ends/feedd").code == 0)
        _ = lab.systemctl("kill", "-s", "KILL", "--kill-who=main", "polybot-feedd.service")
        #expect(await lab.waits(.seconds(5)) { lab.show("SubState", of: "feedd") == "start-pre" })
        let restarts = lab.restarts(of: "stratd")
        _ = lab.systemctl("kill", "-s", "KILL", "--kill-who=main", "polybot-stratd.service")
        #expect(await lab.waits(.seconds(5)) { lab.restarts(of: "stratd") == restarts + 1 && lab.isActive("stratd") })
        #expect(lab.show("SubState", of: "feedd") == "start-pre")
        lab.stopAll()
    }
}
