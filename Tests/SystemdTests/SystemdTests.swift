import Foundation
import Testing

/// The daemons as an operator has them: installed by `make install`, run by a real systemd. One after the other, as they
/// share one lab.
@Suite(.serialized, .whereSystemdCanRun, InLab(name: "life")) struct SystemdTests {
    private var lab: Lab { get throws { try #require(InLab.lab) } }

    /// A lab whose target runs and whose books are all trusted.
    private func runningLab() async throws -> Lab {
        let lab = try self.lab
        try await lab.bringUp()
        return lab
    }

    @Test func theUnitsAreCleanAndClosed() throws {
        let lab = try self.lab
        let units = (Lab.daemons.map(Lab.unit) + ["polybot.target"]).map { "/usr/local/lib/systemd/system/\($0)" }
        let verified = lab.exec(["systemd-analyze", "verify", "--recursive-errors=no"] + units)
        #expect(verified.code == 0 && verified.text.isEmpty, "\(verified)")
        for daemon in Lab.daemons {
            let unit = "/usr/local/lib/systemd/system/\(Lab.unit(daemon))"
            let judged = lab.exec("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
            #expect(judged.code == 0, "\(judged.lines.last ?? "")")
        }
        // The check itself can fail.
        let threshold = lab.exec(
            "systemd-analyze", "security", "--offline=true", "--threshold=1",
            "/usr/local/lib/systemd/system/polybot-feedd.service")
        #expect(threshold.code != 0)
    }

    @Test func aStartIsUsefulAtOnceAndAStopLeavesNothing() async throws {
        let lab = try self.lab
        lab.stopAll()
        lab.stopVenue()
        // Without a venue all are up within ten seconds, and say what is missing.
        let began = ContinuousClock.now
        #expect(lab.systemctl("start", "polybot.target").code == 0)
        #expect(Lab.daemons.allSatisfy(lab.isActive))
        #expect(ContinuousClock.now - began < .seconds(10))
        #expect(lab.show("StatusText", of: "feedd").contains("waiting for the scanner's universe"))
        #expect(lab.show("StatusText", of: "scannerd").contains("failed"))
        // Two seconds after the venue answers there is a trusted book.
        try lab.startVenue()
        let answered = ContinuousClock.now
        let tap = "timeout 15 polybot tap feedd --runtime-dir /run/polybot --type book"
        let first = lab.shell("\(tap) | grep -m 1 '\"trusted\":true'")
        let taken = ContinuousClock.now - answered
        #expect(first.code == 0, "\(first)")
        // Two seconds are the promise, and a slow machine has its share; `make test-systemd` prints what it was.
        print("first trusted book \(taken) after the venue's start")
        #expect(taken < .seconds(2) + .seconds(2), "\(taken)")
        #expect(await lab.waits(.seconds(5)) { lab.isWhole })
        lab.stopAll()
        #expect(lab.shell("ps -C feedd,scannerd,stratd -o pid=,comm=").text.isEmpty)
        #expect(lab.shell("ls /run/polybot").text.isEmpty)
        for daemon in Lab.daemons {
            #expect(lab.show("Result", of: daemon) == "success")
            #expect(lab.show("ExecMainStatus", of: daemon) == "0")
        }
        // What must outlive a stop does.
        #expect(lab.shell("ls /var/lib/polybot/stratd").text.contains("ledger-"))
    }

    @Test func restartsInAnyOrderRefuseNobody() async throws {
        let lab = try await self.runningLab()
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let started = lab.exec(
            "systemd-run", "--quiet", "--unit=subscriber", "/usr/bin/python3",
            "\(Lab.insideSources)/Tests/SystemdTests/subscriber.py", "/run/polybot", "/run/subscriber.json")
        #expect(started.code == 0, "\(started)")
        for _ in 0..<20 {
            let daemon = Lab.daemons[next(3)]
            // A restart that is asked for, and one that is not.
            if next(2) == 0 {
                #expect(lab.systemctl("restart", Lab.unit(daemon)).code == 0)
            } else {
                lab.forgetEnds()
                let restarts = lab.restarts(of: daemon)
                _ = lab.systemctl("kill", "-s", "KILL", Lab.unit(daemon))
                #expect(
                    await lab.waits(.seconds(5)) { lab.restarts(of: daemon) == restarts + 1 && lab.isActive(daemon) })
            }
        }
        #expect(await lab.waits(.seconds(10)) { lab.isWhole }, "seed \(seed)")
        _ = lab.systemctl("stop", "subscriber.service")
        let text = lab.exec("cat", "/run/subscriber.json").text
        let told = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String: Any]])
        for daemon in Lab.daemons {
            let one = try #require(told[daemon])
            #expect(one["refused"] as? Int == 0, "seed \(seed): \(daemon) \(one)")
            #expect((one["errors"] as? [String])?.isEmpty == true, "seed \(seed): \(daemon) \(one)")
            #expect((one["connections"] as? Int ?? 0) > 1, "seed \(seed): \(daemon) \(one)")
            #expect((one["snapshots"] as? Int ?? 0) > 1, "seed \(seed): \(daemon) \(one)")
        }
    }

    @Test func oneThatWasStoppedStaysStoppedWhateverConnects() async throws {
        let lab = try await self.runningLab()
        #expect(lab.systemctl("stop", "polybot-feedd.service").code == 0)
        // Its subscriber, and a person, would like to have it back.
        #expect(lab.exec("polybot", "tap", "feedd", "--runtime-dir", "/run/polybot").code == 69)
        #expect(lab.sockets == ["scannerd.sock", "stratd.sock"])
        #expect(!lab.isActive("feedd") && lab.isActive("stratd") && lab.isActive("scannerd"))
        #expect(await lab.waits(.seconds(5)) { lab.show("StatusText", of: "stratd").contains(" 0 trusted books") })
        #expect(lab.systemctl("start", "polybot-feedd.service").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
        // A dead scanner stops no feed.
        #expect(lab.systemctl("stop", "polybot-scannerd.service").code == 0)
        #expect(lab.systemctl("restart", "polybot-stratd.service").code == 0)
        #expect(await lab.waits(.seconds(5)) { lab.isFeedWhole })
        #expect(lab.systemctl("start", "polybot-scannerd.service").code == 0)
    }

    @Test func theTargetStopsAndRestartsAll() async throws {
        let lab = try await self.runningLab()
        let before = Lab.daemons.map { lab.show("MainPID", of: $0) }
        #expect(lab.systemctl("restart", "polybot.target").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
        let after = Lab.daemons.map { lab.show("MainPID", of: $0) }
        #expect(zip(before, after).allSatisfy { $0 != $1 })
        #expect(lab.systemctl("stop", "polybot.target").code == 0)
        #expect(
            await lab.waits(.seconds(10)) { Lab.daemons.allSatisfy { lab.show("ActiveState", of: $0) == "inactive" } })
        #expect(lab.shell("ls /run/polybot").text.isEmpty)
    }

    @Test func eachRunsAsItselfWithWhatItNeedsAndNoMore() async throws {
        let lab = try await self.runningLab()
        for daemon in Lab.daemons {
            let pid = lab.show("MainPID", of: daemon)
            #expect(
                lab.exec("ps", "-o", "user:32=,group:32=", "-p", pid).trimmed.split(separator: " ")
                    == ["polybot-\(daemon)", "polybot"])
            let status = lab.exec("cat", "/proc/\(pid)/status").text
            #expect(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"))
            #expect(status.contains("CapEff:\t0000000000000000"))
            // Another daemon's state, and what anybody has at home, is out of reach.
            for other in Lab.daemons where other != daemon {
                let read = lab.exec(
                    "setpriv", "--reuid=polybot-\(daemon)", "--clear-groups", "ls", "/var/lib/polybot/\(other)")
                #expect(read.code != 0, "\(daemon) reads the state of \(other)")
            }
        }
        // The units' hook is root, and keeps what it remembers where no daemon can put a link in its way.
        #expect(lab.exec("stat", "-c", "%a %U", "/run/polybot-ends").trimmed == "700 root")
        // Live trading needs the network as discovery and feed do.
        let networks = Lab.daemons.map { lab.exec("readlink", "/proc/\(lab.show("MainPID", of: $0))/ns/net").trimmed }
        #expect(Set(networks).count == 1, "\(networks)")
        // Readers are the members of one group, and nobody else.
        let stranger = lab.exec(
            "setpriv", "--reuid=65534", "--clear-groups", "polybot", "tap", "feedd", "--runtime-dir", "/run/polybot",
            "--for", "1s")
        #expect(stranger.code != 0)
        let reader = lab.exec(
            "setpriv", "--reuid=65534", "--regid=polybot", "--clear-groups", "polybot", "status", "--json",
            "--runtime-dir",
            "/run/polybot")
        #expect(reader.code == 0, "\(reader)")
    }

    @Test func theJournalHasFieldsAndExplanations() async throws {
        let lab = try await self.runningLab()
        let began = lab.moment()
        #expect(lab.systemctl("restart", "polybot-feedd.service").code == 0)
        #expect(await lab.waits(.seconds(10)) { lab.isWhole })
        let found = lab.exec(
            "journalctl", "-q", "-u", "polybot-feedd.service", "--since", began, "POLYBOT_EVENT=all_books_trusted",
            "-n", "1",
            "-o", "json")
        let entry = try #require(try JSONSerialization.jsonObject(with: Data(found.text.utf8)) as? [String: Any])
        // More than the scanner lists, where a position is held.
        let books = try #require(entry["POLYBOT_BOOKS"] as? String)
        #expect(entry["MESSAGE"] as? String == "All books are trusted books=\(books)" && (Int(books) ?? 0) >= 25)
        #expect(entry["PRIORITY"] as? String == "6")
        #expect(entry["SYSLOG_IDENTIFIER"] as? String == "feedd" && entry["CODE_FUNC"] != nil)
        let explained = lab.exec(
            "journalctl", "-q", "-x", "-u", "polybot-feedd.service", "--since", began,
            "MESSAGE_ID=\(entry["MESSAGE_ID"] as? String ?? "none")")
        #expect(
            explained.text.contains("Defined-By: polybot") && explained.text.contains("What to do:"), "\(explained)")
        // An order's story, by its number, in the daemon's own words.
        let order = lab.exec(
            "journalctl", "-q", "-u", "polybot-stratd.service", "-n", "1", "-o", "json", "POLYBOT_EVENT=order_filled")
        let fill = try #require(try JSONSerialization.jsonObject(with: Data(order.text.utf8)) as? [String: Any])
        let number = try #require(fill["POLYBOT_ORDER"] as? String)
        #expect(
            lab.exec("journalctl", "-q", "-u", "polybot-stratd.service", "POLYBOT_ORDER=\(number)").lines.count >= 1)
    }
}
