import Foundation
import Testing

/// What `make install` and `make uninstall` leave behind.
@Suite(.serialized, .whereSystemdCanRun, InLab(name: "install")) struct InstallTests {
    private var lab: Lab { get throws { try #require(InLab.lab) } }

    /// In the lab, with settings of make.
    private func make(_ lab: Lab, _ words: String...) -> Lab.Output {
        lab.exec(["make", "-s", "-C", Lab.insideSources] + words)
    }

    @Test func itIsAllThereAndSaysWhatItIs() throws {
        let lab = try self.lab
        for program in ["polybot", "feedd", "scannerd", "stratd", "simvenue"] {
            #expect(lab.exec(program, "--version").code == 0)
            // Without the toolchain's libraries.
            #expect(!lab.exec("ldd", "/usr/local/bin/\(program)").text.contains("libswift"))
            #expect(lab.exec("test", "-s", "/usr/local/share/bash-completion/completions/\(program)").code == 0)
        }
        for page in [
            "man1/polybot.1", "man1/simvenue.1", "man5/polybot.toml.5", "man8/feedd.8", "man8/scannerd.8",
            "man8/stratd.8",
        ] {
            #expect(lab.exec("test", "-s", "/usr/local/share/man/\(page)").code == 0, "\(page)")
        }
        // Every key stands in the configuration, commented out.
        let commented = lab.exec("cat", "/usr/local/share/doc/polybot/polybot.toml").lines
        #expect(commented.allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("[") })
        #expect(commented.count { $0.hasPrefix("#") && !$0.hasPrefix("# ") && $0.contains(" = ") } > 50)
        #expect(lab.exec("feedd", "--check-config", "--config", "/usr/local/share/doc/polybot/polybot.toml").code == 0)
    }

    @Test func anUpgradeKeepsTheConfigurationAndDropsWhatIsNoMore() throws {
        let lab = try self.lab
        let before = lab.exec("cat", "/etc/polybot/polybot.toml").text
        #expect(before == lab.configuration)
        // A file of an earlier version, which the new one does not have; and a line that somebody put there.
        #expect(
            lab.shell(
                "touch /usr/local/bin/old-polybot /etc/keep-me; cd /usr/local/share/polybot && "
                    + "printf '/usr/local/bin/old-polybot\n/etc/keep-me\n/usr/local/../../etc/keep-me\n' >> manifest"
            ).code == 0)
        #expect(self.make(lab, "install").code == 0)
        #expect(lab.exec("cat", "/etc/polybot/polybot.toml").text == before)
        #expect(lab.exec("test", "-e", "/usr/local/bin/old-polybot").code != 0)
        #expect(lab.exec("test", "-e", "/etc/keep-me").code == 0)
        #expect(lab.exec("stat", "-c", "%a %U %G", "/etc/polybot/polybot.toml").trimmed.hasSuffix("root polybot"))
    }

    @Test func anotherPlaceIsNamedInTheUnits() throws {
        let lab = try self.lab
        let made = self.make(lab, "install", "DESTDIR=/srv/image", "PREFIX=/usr", "SYSCONFDIR=/etc")
        #expect(made.code == 0, "\(made)")
        let unit = lab.exec("cat", "/srv/image/usr/lib/systemd/system/polybot-feedd.service").text
        #expect(
            unit.contains("ExecStart=/usr/bin/feedd --config /etc/polybot/polybot.toml") && !unit.contains("/usr/local")
        )
        #expect(lab.exec("test", "-f", "/srv/image/etc/polybot/polybot.toml").code == 0)
        #expect(lab.exec("test", "-e", "/usr/lib/systemd/system/polybot-feedd.service").code != 0)
        #expect(self.make(lab, "uninstall", "DESTDIR=/srv/image", "PREFIX=/usr").code == 0)
        #expect(lab.exec("find", "/srv/image", "-type", "f").lines == ["/srv/image/etc/polybot/polybot.toml"])
        for wrong in ["PREFIX=local", "PREFIX=/a b", "PREFIX=/usr/../etc", "DESTDIR=x", "SYSCONFDIR=;rm"] {
            #expect(self.make(lab, "install", wrong).code != 0, "\(wrong)")
        }
    }

    @Test func anUpgradeLivesAfterTheRestartThatItNames() async throws {
        let lab = try self.lab
        let idle = self.make(lab, "install")
        #expect(idle.code == 0 && idle.text.contains("next: systemctl start polybot.target"), "\(idle)")
        try await lab.bringUp()
        func processes() -> [String] { Lab.daemons.map { lab.show("MainPID", of: $0) } }
        let before = processes()
        let upgrade = self.make(lab, "install")
        #expect(
            upgrade.code == 0 && upgrade.text.contains("next: systemctl restart polybot.target")
                && !upgrade.text.contains("systemctl start"), "\(upgrade)")
        // A start leaves all as it is.
        #expect(lab.systemctl("start", "polybot.target").code == 0)
        #expect(processes() == before)
        #expect(lab.systemctl("restart", "polybot.target").code == 0)
        #expect(await lab.waits(.seconds(15)) { lab.isWhole })
        #expect(Set(processes()).isDisjoint(with: before) && !processes().contains("0"))
        lab.stopAll()
    }

    /// Last, as it takes away what the others look at.
    @Test func uninstallingStopsAllAndLeavesStateAndConfiguration() async throws {
        let lab = try self.lab
        try lab.startVenueOnce()
        #expect(lab.systemctl("start", "polybot.target").code == 0)
        #expect(await lab.waits(.seconds(15)) { lab.isWhole })
        let installed = lab.exec("cat", "/usr/local/share/polybot/manifest").lines
        #expect(installed.count > 35)
        let removed = self.make(lab, "uninstall")
        #expect(removed.code == 0, "\(removed)")
        for file in installed { #expect(lab.exec("test", "-e", file).code != 0, "\(file) is still there") }
        #expect(lab.shell("ps -C feedd,scannerd,stratd -o pid=").text.isEmpty)
        #expect(lab.exec("cat", "/etc/polybot/polybot.toml").text == lab.configuration)
        #expect(lab.shell("ls /var/lib/polybot/stratd").text.contains("ledger-"))
        #expect(lab.systemctl("is-active", "polybot.target").code != 0)
        // Twice is an error that says so.
        #expect(self.make(lab, "uninstall").code != 0)
    }
}
