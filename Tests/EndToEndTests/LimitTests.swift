import Shared
import Testing

@testable import DaemonKit

/// No limit is only advertised: a maker that wants more than each of them allows runs as a process, trades live on the simulated
/// venue, and does not get it.
@Suite(.serialized) struct LimitTests {
    /// A limit that is tight from the start.
    private struct Case: Sendable {
        /// Keys, those of the section `risk` without its name, and what they are set to.
        let settings: [String: String]
        /// What `explain` names.
        let code: String
        /// Done once trading is open, for limits that a peer has to break.
        var control: [String]
        /// Whether what the venue holds keeps the limit.
        var isKept: @Sendable (LiveAccount.Truth) -> Bool = { _ in true }

        init(
            _ settings: [String: String], _ code: String, control: [String] = [],
            isKept: @escaping @Sendable (LiveAccount.Truth) -> Bool = { _ in true }
        ) {
            self.settings = settings
            self.code = code
            self.control = control
            self.isKept = isKept
        }
    }

    /// Of no matter beside the one that a case makes tight. Orders of 200 shares lose dollars when the price moves by a tick.
    private static let wide = [
        "max_order_usd": "1000", "max_market_usd": "5000", "max_event_usd": "10000", "max_total_usd": "50000",
        "max_positions": "600", "max_open_orders": "600", "max_orders_per_s": "100", "daily_loss_usd": "10000",
        "max_drawdown_usd": "10000", "unknown_orders_max": "50",
    ]

    private static let cases: [Case] = [
        Case(["max_order_usd": "2"], "max_order_usd") { $0.largestPurchase <= 2_000_000 },
        Case(["max_market_usd": "3"], "max_market_usd") { $0.largestPurchase <= 3_000_000 },
        Case(["max_event_usd": "3"], "max_event_usd") { $0.largestPurchase <= 3_000_000 },
        Case(["max_total_usd": "150"], "max_total_usd") { $0.bound <= 150_000_000 },
        Case(["strategies.allocation": "0.003"], "strategy_allocation") { $0.bound <= 150_000_000 },
        Case(["max_positions": "2"], "max_positions") { $0.tokensBidFor.count <= 4 },
        Case(["max_open_orders": "3"], "max_open_orders") { $0.openOrders.count <= 3 },
        Case(["max_orders_per_s": "1"], "max_orders_per_s"),
        Case(["price_band": "0.0001"], "price_band") { $0.bound == 0 },
        Case(["min_time_left_s": "2592000"], "min_time_left") { $0.bound == 0 },
        Case(["book_age_max_ms": "100"], "book_old", control: [#"{"do":"pause_traffic"}"#]),
        Case(["daily_loss_usd": "1"], "daily_loss"),
        Case(["max_drawdown_usd": "1"], "max_drawdown"),
        Case(
            ["unknown_orders_max": "1"], "unknown_orders_max",
            control: [
                #"{"do":"silence_user","seconds":60}"#, #"{"do":"http_lost","path":"/orders","count":40}"#,
                #"{"do":"http_lost","path":"/order","count":40}"#,
            ]),
        Case(
            ["error_rate_max": "0"], "error_rate",
            control: [#"{"do":"http_status","status":500,"path":"/data/orders","count":40}"#]),
        Case(["clock_skew_max_ms": "500"], "clock_skew", control: [#"{"do":"clock_skew","ms":1800}"#]),
        Case(["trial_fills": "100000", "trial_order_usd": "2", "trial_total_usd": "5000"], "max_order_usd") {
            $0.largestPurchase <= 2_000_000
        },
        Case(["trial_fills": "100000", "trial_order_usd": "500", "trial_total_usd": "150"], "max_total_usd") {
            $0.bound <= 150_000_000
        },
    ]

    @Test func whatAMakerWantsBeyondALimitItDoesNotGet() async throws {
        let keys = ConfigurationKey.all.map(\.path).filter { $0.hasPrefix("risk.") }.map { String($0.dropFirst(5)) }
        let covered = Self.cases.flatMap(\.settings.keys).filter { !$0.contains(".") } + ["halt_file"]
        #expect(Set(covered) == Set(keys), "a limit of the configuration is not tried")
        let account = try await LiveAccount(
            ["--markets", "12", "--rate", "300", "--balance", "1000000"],
            settings: Self.environment(Self.wide).merging(["POLYBOT_STRATEGIES_MAKER_ORDER_SIZE": "200"]) { $1 })
        let markets = try await self.markets(of: account)
        for present in Self.cases {
            try await self.play(present, markets, account)
        }
        try await self.halt(markets, account)
    }

    private static func environment(_ limits: [String: String]) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: limits.map { name, value in
                let key = name.contains(".") ? name : "risk." + name
                return ("POLYBOT_" + key.uppercased().replacing(".", with: "_"), value)
            })
    }

    /// Those that are quoted when nothing is tight.
    private func markets(of account: LiveAccount) async throws -> [String] {
        let stratd = try account.start()
        let markets = try await waitFor("orders", state: stratd.report) { () -> Set<String>? in
            let markets = try account.ledger.markets
            return markets.count >= 4 ? markets : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        return markets.sorted()
    }

    private func play(_ present: Case, _ markets: [String], _ account: LiveAccount) async throws {
        try await account.pipeline.control(#"{"do":"heal"}"#)
        try await account.pipeline.control(#"{"do":"resume"}"#)
        let stratd = try account.start(Self.environment(present.settings))
        _ = try await stratd.line(of: .errors) { $0.contains("Live trading is open") }
        // The case before may have halted it, which lasts.
        _ = try await self.operate(["resume"], account)
        for control in present.control { try await account.pipeline.control(control) }
        try await self.expect(present.code, in: markets, stratd, account) {
            #expect(present.isKept($0), "\(present.settings): \($0)")
        }
        try await account.pipeline.control(#"{"do":"heal"}"#)
        try await account.pipeline.control(#"{"do":"clock_skew","ms":0}"#)
        #expect(try await stratd.stop() == .exited(0), "\(present.settings)\n\(stratd.report)")
    }

    /// Asks why there is no order until the limit is named in one of the markets: in others the orders may rest that fill it up.
    private func expect(
        _ code: String, in markets: [String], _ stratd: RunningProgram, _ account: LiveAccount,
        _ check: (LiveAccount.Truth) -> Void
    ) async throws {
        try await waitFor("\(code) to shut a market", within: .seconds(60), state: stratd.report) { () -> Bool? in
            check(try await account.truth)
            for market in markets {
                if try await self.operate(["explain", market], account).contains("shut now: \(code)") { return true }
            }
            return nil
        }
    }

    private func operate(_ words: [String], _ account: LiveAccount) async throws -> String {
        let command = try RunningProgram(
            Programs.path(of: "polybot"), words + ["--runtime-dir", account.pipeline.directory.path],
            in: account.pipeline.directory.path)
        _ = try await command.waitForEnd()
        return command.text(of: .output)
    }

    /// The file stands where the configuration says.
    private func halt(_ markets: [String], _ account: LiveAccount) async throws {
        let file = account.pipeline.directory.file("STOP")
        let stratd = try account.start(["POLYBOT_RISK_HALT_FILE": file])
        try await waitFor("orders", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? nil : true
        }
        try account.pipeline.directory.write("STOP", "")
        try await self.expect("halt_file", in: markets, stratd, account) { _ in }
        try await waitFor("no order to be open", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
    }
}
