import Foundation
import Testing

/// stratd trading live by its unit, closed in as it is there, with a key from the credential store, on the simulated venue.
@Suite(.serialized, .whereSystemdCanRun, InLab(name: "live")) struct LiveTests {
    /// Worth nothing anywhere.
    private static let key = "0x" + (0..<64).map { _ in String(Int.random(in: 1...14), radix: 16) }.joined()

    private var lab: Lab { get throws { try #require(InLab.lab) } }

    /// Trades, with several orders open.
    private func tradingLab() async throws -> Lab {
        let lab = try self.lab
        lab.write(
            "/etc/polybot/polybot.toml",
            """
            [trading]
            mode = "live"
            [risk]
            trial_fills = 0
            [strategies.maker]
            requote_interval_ms = 100
            [scanner]
            exclude_keywords = ["updown"]
            max_markets = 8

            """
                + lab.configuration.replacing(
                    "[feed]",
                    with: """
                        user_ws_url = "ws://127.0.0.1:\(lab.port)/ws/user"
                        geoblock_url = "http://127.0.0.1:\(lab.port)/api/geoblock"
                        [feed]
                        """))
        lab.write("/etc/credstore/polybot.private_key", Self.key + "\n")
        try await lab.bringUp()
        try #require(
            await lab.waits(.seconds(30)) { self.isTrading(lab) },
            "\(lab.show("StatusText", of: "stratd"))\n\(lab.journal("stratd"))")
        return lab
    }

    private func isTrading(_ lab: Lab) -> Bool {
        lab.show("StatusText", of: "stratd").contains("trading live") && (self.account(lab)?.openOrders.count ?? 0) >= 4
    }

    @Test func itTradesByItsUnitAndAStopLeavesNothingOpen() async throws {
        let lab = try await self.tradingLab()
        let story = lab.journal("stratd")
        #expect(story.contains("Live trading is open"), "\(story)")
        #expect(lab.systemctl("stop", "polybot-stratd.service").code == 0)
        #expect(lab.show("Result", of: "stratd") == "success")
        #expect(self.account(lab)?.openOrders.isEmpty == true)
        try await self.expectAgreement(lab)
    }

    /// Killed again and again, and once with its machine's other daemons: nothing is doubled, nothing forgotten.
    @Test func killedItIsBackByItselfAndAgreesWithTheVenue() async throws {
        let lab = try await self.tradingLab()
        for kill in 1...4 {
            let restarts = lab.restarts(of: "stratd")
            _ = lab.systemctl("kill", "-s", "KILL", kill == 4 ? "polybot-*.service" : "polybot-stratd.service")
            #expect(await lab.waits(.seconds(10)) { lab.restarts(of: "stratd") > restarts }, "kill \(kill)")
            lab.forgetEnds()
            #expect(
                await lab.waits(.seconds(60)) { self.isTrading(lab) },
                "kill \(kill)\n\(lab.show("StatusText", of: "stratd"))\n\(lab.journal("stratd").suffix(4_000))")
        }
        try await self.expectAgreement(lab)
    }

    /// One that stands still sends no heartbeat: the venue ends its orders, and the watchdog ends it.
    @Test func standingStillItsOrdersEndAtTheVenueAndTheWatchdogEndsIt() async throws {
        let lab = try await self.tradingLab()
        let restarts = lab.restarts(of: "stratd")
        let before = try #require(self.account(lab)).openOrders
        // Its own restart would place orders before it is seen that the old ones are gone.
        lab.write("/var/lib/polybot/stratd/HALT", "")
        _ = lab.systemctl("kill", "-s", "STOP", "polybot-stratd.service")
        #expect(
            await lab.waits(.seconds(40)) { self.account(lab)?.openOrders.isDisjoint(with: before) == true },
            "the venue's heartbeat ends them")
        #expect(await lab.waits(.seconds(30)) { lab.restarts(of: "stratd") > restarts })
        #expect(lab.shell("rm /var/lib/polybot/stratd/HALT").code == 0)
        try await self.expectAgreement(lab)
    }

    /// With no stratd left, the account is looked after with the key that only systemd hands out.
    @Test func theUnitsKeyServesCancelAllAndDoctor() async throws {
        let lab = try await self.tradingLab()
        let dropIn = "/run/systemd/system/polybot-stratd.service.d"
        lab.write("\(dropIn)/once.conf", "[Service]\nRestart=no\n")
        #expect(lab.systemctl("daemon-reload").code == 0)
        _ = lab.systemctl("kill", "-s", "KILL", "polybot-stratd.service")
        #expect(await lab.waits(.seconds(5)) { lab.show("ActiveState", of: "stratd") == "failed" })
        // Before the venue misses the heartbeats.
        let cancelled = lab.exec("polybot", "cancel-all", "--service")
        #expect(cancelled.code == 0, "\(cancelled)")
        let count = cancelled.lines.last?.firstMatch(of: /^([0-9]+) orders were cancelled, nothing is open$/)?.1
        #expect(count.flatMap { Int($0) } ?? 0 > 0, "\(cancelled)")
        #expect(self.account(lab)?.openOrders.isEmpty == true)
        let doctor = lab.exec("polybot", "doctor", "--service")
        #expect(doctor.code == 0 && doctor.text.contains("heartbeat"), "\(doctor)")
        for output in [cancelled, doctor] { #expect(!output.text.contains(Self.key.dropFirst(2))) }
        #expect(lab.shell("find /var/lib/polybot/stratd ! -user polybot-stratd").trimmed.isEmpty)
        // Without it root has no key, and is told how.
        let without = lab.exec("polybot", "cancel-all")
        #expect(without.code == 78 && without.text.contains("sudo polybot cancel-all --service"), "\(without)")
        #expect(lab.shell("rm -r \(dropIn); systemctl daemon-reload").code == 0)
        lab.forgetEnds()
        try await self.expectAgreement(lab)
    }

    @Test func theKeyIsInNoJournalNoFileAndNoEnvironment() async throws {
        let lab = try await self.tradingLab()
        let bare = String(Self.key.dropFirst(2))
        let search = """
            { journalctl -o export --no-pager; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; \
            find /var/lib/polybot /run/polybot /run/polybot-ends -type f -exec cat {} +; \
            find /var/lib/polybot -name '*.gz' -exec zcat {} +; } 2>/dev/null | tr 'A-F' 'a-f' > /run/haystack
            wc -c < /run/haystack; grep -c -a \(bare) /run/haystack
            grep -c -a 'Live trading is open' /run/haystack; rm /run/haystack; ls /var/lib/systemd/coredump 2>/dev/null | wc -l
            """
        // In a file, as the shell's own command line would be found.
        lab.write("/run/search", search)
        let found = lab.shell("bash /run/search; rm /run/search").lines.compactMap { Int($0) }
        #expect(found.count == 4 && found[0] > 10_000 && found[1] == 0 && found[2] > 0 && found[3] == 0, "\(found)")
        #expect(lab.shell("stat -c %a /var/lib/polybot/stratd").trimmed == "700")
        #expect(
            lab.shell("find /var/lib/polybot/stratd -name '*credentials*' ! -perm 600").trimmed.isEmpty,
            "credentials are their owner's")
    }

    // MARK: What the venue knows

    private struct Account {
        let openOrders: Set<String>
        /// Millionths of a share by token, zeros left out.
        let holdings: [String: Int64]
        let waitingTradeCount: Int
    }

    private func get(_ lab: Lab, _ path: String) -> Any? {
        let output = lab.exec("curl", "-s", "-m", "10", "http://127.0.0.1:\(lab.port)\(path)")
        return try? JSONSerialization.jsonObject(with: Data(output.text.utf8))
    }

    private func account(_ lab: Lab) -> Account? {
        guard let address = (self.get(lab, "/truth/account") as? [String])?.first,
            let truth = self.get(lab, "/truth/account?address=\(address)") as? [String: Any],
            let orders = truth["orders"] as? [[String: Any]], let holdings = truth["holdings"] as? [[String: Any]]
        else { return nil }
        var held: [String: Int64] = [:]
        for holding in holdings {
            let balance = (holding["balance"] as? NSNumber)?.int64Value ?? 0
            if balance != 0 { held[holding["token"] as? String ?? ""] = balance }
        }
        return Account(
            openOrders: Set(orders.compactMap { $0["hash"] as? String }), holdings: held,
            waitingTradeCount: (truth["waiting_trades"] as? [Any])?.count ?? -1)
    }

    /// Halts trading, waits for the chain, and compares what the ledger exports with the venue's truth.
    private func expectAgreement(_ lab: Lab) async throws {
        lab.write("/var/lib/polybot/stratd/HALT", "")
        #expect(lab.systemctl("start", "polybot-stratd.service").code == 0)
        // stratd's ledger follows the last word of the chain within seconds.
        let agrees = await lab.waits(.seconds(60)) {
            guard let account = self.account(lab), account.openOrders.isEmpty, account.waitingTradeCount == 0 else {
                return false
            }
            return self.exported(lab) == account.holdings
        }
        #expect(
            agrees,
            "\(self.exported(lab)) and \(String(describing: self.account(lab)))\n\(lab.journal("stratd").suffix(4_000))"
        )
        let desk = (self.get(lab, "/audit") as? [String: Any])?["desk"] as? [String: Any]
        #expect(
            (desk?["duplicates"] as? NSNumber)?.intValue == 0
                && (desk?["refused_signatures"] as? NSNumber)?.intValue == 0)
        #expect(!lab.journal("stratd").contains("is not the ledger's"))
        #expect(lab.shell("rm /var/lib/polybot/stratd/HALT").code == 0)
        // The file is looked for once a second; while it is seen nobody may resume.
        #expect(
            await lab.waits(.seconds(10)) { lab.exec("polybot", "resume", "--runtime-dir", "/run/polybot").code == 0 })
        lab.stopAll()
    }

    /// Shares by token, over all strategies, as `polybot export positions` tells them.
    private func exported(_ lab: Lab) -> [String: Int64] {
        let output = lab.exec(
            "runuser", "-u", "polybot-stratd", "--", "polybot", "export", "positions", "--mode", "live", "--state-dir",
            "/var/lib/polybot/stratd")
        let rows = output.text.split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        guard let header = rows.first, let token = header.firstIndex(of: "token"),
            let size = header.firstIndex(of: "size")
        else { return ["": -1] }
        var held: [String: Int64] = [:]
        for row in rows.dropFirst() where row.count == header.count {
            let micros = (Decimal(string: String(row[size])) ?? -1) * 1_000_000
            let shares = NSDecimalNumber(decimal: micros).int64Value
            if shares != 0 { held[String(row[token]), default: 0] += shares }
        }
        return held
    }
}
