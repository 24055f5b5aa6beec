import Glibc
import Shared
import Testing

@testable import DaemonKit

/// stratd at the venue's own interface, ended where it hurts: what it wrote last is half there, or lost.
@Suite(.serialized) struct LiveKillTests {
    /// Killed before, within and after the writes of its ledger, while answers are lost: no order comes twice, and in the end
    /// the ledger is the venue's truth.
    @Test func killedAtEveryStepOfTheJournalItDoublesAndForgetsNothing() async throws {
        let seed = Programs.variable("SIMULATION_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
        let killCount = Programs.variable("POLYBOT_SOAK") != nil ? 1_000 : 50
        var random = SeededRandom(seed: seed)
        let account = try await LiveAccount(
            ["--markets", "12", "--rate", "300", "--seed", "\(seed % 1_000_000)", "--balance", "1000000"],
            settings: [
                "POLYBOT_RISK_UNKNOWN_ORDERS_MAX": "100", "POLYBOT_RISK_DAILY_LOSS_USD": "100000",
                "POLYBOT_RISK_MAX_DRAWDOWN_USD": "100000", "POLYBOT_RISK_MAX_TOTAL_USD": "900",
            ])
        let killer = try await JournalKiller(account.pipeline.directory)
        var step = 0
        var kills = 0
        while kills < killCount {
            step += 1
            // The first steps one by one, later ones anywhere.
            let place = kills < 12 ? kills + 1 : Int.random(in: 1...30, using: &random)
            let mode = JournalKiller.Mode.allCases.randomElement(using: &random)!
            let stratd = try account.start(killer.environment(at: place, mode))
            let losses = Int.random(in: 0...2, using: &random)
            for _ in 0..<losses {
                let path = ["/order", "/orders", "/data/orders", "/v1/heartbeats"].randomElement(using: &random)!
                try await account.pipeline.control(#"{"do":"http_lost","path":"\#(path)","count":1}"#)
            }
            let ending = try await stratd.waitForEnd(within: .seconds(60))
            let story = "SIMULATION_SEED=\(seed), kill \(kills) at write \(place) \(mode)\n\(stratd.report)"
            try #require(ending == .killed(by: SIGKILL), "\(story)")
            kills += 1
            #expect(try await account.truth.bound <= 900_000_000, "\(story)")
        }
        try await account.pipeline.control(#"{"do":"heal"}"#)
        let last = try account.start()
        let report = { "SIMULATION_SEED=\(seed)\n\(last.report)" }
        try await waitFor("every order's fate", within: .seconds(180), state: report()) { () -> Bool? in
            let ledger = try account.ledger
            return ledger.unknownCount == 0 && ledger.fillCount > 0 ? true : nil
        }
        #expect(try await last.stop() == .exited(0), "\(report())")
        let audit = try await account.audit
        let doubled = audit["orders"]?.array?.filter { $0["count"]?.integer != 1 } ?? []
        #expect(doubled.isEmpty, "\(doubled) SIMULATION_SEED=\(seed)")
        #expect(
            audit["duplicates"]?.integer == 0 && audit["refused_signatures"]?.integer == 0, "SIMULATION_SEED=\(seed)")
        try await account.expectAgreement("SIMULATION_SEED=\(seed)")
    }

    /// Without power the last writes of the ledger are lost: what the venue knows of them wins.
    @Test func aLossOfPowerIsMadeGoodByWhatTheVenueKnows() async throws {
        let seed = Programs.variable("SIMULATION_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
        let lossCount = Programs.variable("POLYBOT_SOAK") != nil ? 100 : 8
        var random = SeededRandom(seed: seed)
        let account = try await LiveAccount(
            ["--markets", "12", "--rate", "600", "--seed", "\(seed % 1_000_000)", "--balance", "1000000"],
            settings: [
                "POLYBOT_RISK_UNKNOWN_ORDERS_MAX": "100", "POLYBOT_RISK_DAILY_LOSS_USD": "100000",
                "POLYBOT_RISK_MAX_DRAWDOWN_USD": "100000",
            ])
        let killer = try await JournalKiller(account.pipeline.directory)
        var lost = 0
        for loss in 0..<lossCount {
            let stratd = try account.start(
                killer.environment(at: Int.random(in: 20...80, using: &random), .before))
            let ending = try await stratd.waitForEnd(within: .seconds(60))
            try #require(ending == .killed(by: SIGKILL), "SIMULATION_SEED=\(seed), loss \(loss)\n\(stratd.report)")
            lost += try account.loseLastRecords(within: .milliseconds(70))
        }
        #expect(lost > lossCount, "SIMULATION_SEED=\(seed)")
        let before = try account.ledger.fillCount
        let last = try account.start()
        let report = { "SIMULATION_SEED=\(seed)\n\(last.report)" }
        try await waitFor("every order's fate", within: .seconds(180), state: report()) { () -> Bool? in
            let ledger = try account.ledger
            return ledger.unknownCount == 0 && ledger.fillCount > before + 5 ? true : nil
        }
        #expect(try await last.stop() == .exited(0), "\(report())")
        #expect(try await account.audit["duplicates"]?.integer == 0, "SIMULATION_SEED=\(seed)")
        // In a few losses alone none may have been filled.
        if lossCount > 50 { #expect(try account.ledger.foreignCount > 0, "SIMULATION_SEED=\(seed)") }
        try await account.expectAgreement("SIMULATION_SEED=\(seed)")
    }
}

/// A library that kills its process at the n-th write to the live ledger: before it, in its midst, or after it.
private struct JournalKiller {
    enum Mode: String, CaseIterable { case before, half, after }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        ssize_t write(int fd, const void *bytes, size_t count) {
            static ssize_t (*real)(int, const void *, size_t);
            static int number;
            if (!real) real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
            char link[64], path[4096] = {0};
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            if (readlink(link, path, sizeof path - 1) < 0 || !strstr(path, "/ledger-live")) return real(fd, bytes, count);
            const char *mode = getenv("KILL_MODE");
            if (__atomic_add_fetch(&number, 1, __ATOMIC_SEQ_CST) != atoi(getenv("KILL_AT"))) return real(fd, bytes, count);
            if (mode[0] == 'h') real(fd, bytes, count / 2);
            if (mode[0] == 'a') real(fd, bytes, count);
            kill(getpid(), SIGKILL);
            for (;;) pause();
        }
        """#
    private let library: String

    init(_ directory: TemporaryDirectory) async throws {
        self.library = directory.file("killer.so")
        try directory.write("killer.c", Self.source)
        let compiler = try RunningProgram(
            "cc", ["-O1", "-shared", "-fPIC", "-o", self.library, directory.file("killer.c"), "-ldl"])
        guard try await compiler.waitForEnd() == .exited(0) else { throw WaitedInVain(description: compiler.report) }
    }

    func environment(at number: Int, _ mode: Mode) -> [String: String] {
        ["LD_PRELOAD": self.library, "KILL_AT": "\(number)", "KILL_MODE": mode.rawValue]
    }
}
