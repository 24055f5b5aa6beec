import Glibc
import Shared
import Testing

@testable import DaemonKit

/// A pipeline with stratd trading live on simvenue, and what test and venue know of its account.
final class LiveAccount: Sendable {
    /// Worth nothing anywhere, and of this test alone: one stratd of a machine trades for an account.
    let key = "0x" + (0..<64).map { _ in String(Int.random(in: 1...14), radix: 16) }.joined()
    let pipeline: Pipeline
    private let settings: [String: String]

    /// - Parameter settings: for stratd alone.
    init(_ venueArguments: [String], marketCount: Int = 6, settings: [String: String] = [:]) async throws {
        self.pipeline = try await Pipeline(
            venueArguments,
            settings: ["POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_SCANNER_MAX_MARKETS": "\(marketCount)"])
        let port = self.pipeline.port
        try self.pipeline.directory.write("key", self.key)
        chmod(self.pipeline.directory.file("key"), 0o600)
        self.settings = [
            "POLYBOT_TRADING_MODE": "live", "POLYBOT_TRADING_PRIVATE_KEY_FILE": self.pipeline.directory.file("key"),
            "POLYBOT_VENUE_CLOB_URL": "http://127.0.0.1:\(port)", "POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:\(port)",
            "POLYBOT_VENUE_DATA_URL": "http://127.0.0.1:\(port)",
            "POLYBOT_VENUE_USER_WS_URL": "ws://127.0.0.1:\(port)/ws/user",
            "POLYBOT_VENUE_GEOBLOCK_URL": "http://127.0.0.1:\(port)/api/geoblock",
            "POLYBOT_STRATEGIES_MAKER_REQUOTE_INTERVAL_MS": "100", "POLYBOT_RISK_TRIAL_FILLS": "0",
        ].merging(settings) { $1 }
    }

    var stateDirectory: String { self.pipeline.directory.file("state") }

    /// Starts stratd; it may end by itself at once.
    func start(_ environment: [String: String] = [:], arguments: [String] = []) throws -> RunningProgram {
        try RunningProgram(
            Programs.path(of: "stratd"),
            ["--runtime-dir", self.pipeline.directory.path, "--state-dir", self.stateDirectory] + arguments,
            in: self.pipeline.directory.path, environment: self.settings.merging(environment) { $1 })
    }

    /// Takes the ledger's last lines away, as a loss of power does before they were synced.
    ///
    /// - Parameter span: how far back, from the last one.
    /// - Returns: how many lines are gone.
    func loseLastRecords(within span: Duration) throws -> Int {
        let names = try JournalFile.entries(of: self.stateDirectory).sorted()
        let name = try #require(names.last { $0.hasPrefix("ledger-live") && $0.hasSuffix(".jsonl") })
        let text = String(decoding: contents(of: self.stateDirectory + "/" + name) ?? [], as: UTF8.self)
        let lines = text.split(separator: "\n")
        func record(_ line: Substring) -> JSONValue? { try? JSONValue(parsing: line.utf8) }
        let last = lines.reduce(Int64(0)) { max($0, record($1)?["time"]?.integer ?? 0) }
        let end = last - Int64(span / .microseconds(1))
        // A file is there with its first line, and what an account begins with is known long before its first order.
        let lasting = lines.lastIndex {
            guard let record = record($0) else { return false }
            return ["checkpoint", "funds"].contains(record["type"]?.string) || record["time"]?.integer ?? 0 <= end
        }
        let kept = lines[...(lasting ?? 0)]
        let file = self.stateDirectory + "/" + name
        let descriptor = open(file, O_WRONLY | O_TRUNC)
        defer { close(descriptor) }
        let bytes = Array((kept.joined(separator: "\n") + "\n").utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw WaitedInVain(description: file) }
        return lines.count - kept.count
    }

    // MARK: What the venue knows

    struct Truth {
        let money: Int64
        /// Shares by token, zeros left out.
        let holdings: [String: Int64]
        let openOrders: Set<String>
        let waitingTradeCount: Int
        /// What open purchases may cost.
        let bound: Int64
        /// The costliest of them.
        var largestPurchase: Int64 = 0
        var tokensBidFor: Set<String> = []
    }

    var truth: Truth {
        get async throws {
            let addresses = try await self.pipeline.get("/truth/account").array ?? []
            guard let address = addresses.first?.string else {
                return Truth(money: 0, holdings: [:], openOrders: [], waitingTradeCount: 0, bound: 0)
            }
            let answer = try await self.pipeline.get("/truth/account?address=\(address)")
            var holdings: [String: Int64] = [:]
            for holding in answer["holdings"]?.array ?? [] {
                let balance = holding["balance"]?.integer ?? 0
                if balance != 0 { holdings[holding["token"]?.string ?? ""] = balance }
            }
            let orders = answer["orders"]?.array ?? []
            let bids = orders.filter { $0["side"]?.string == "BUY" }
            let purchases = bids.map { ($0["price"]?.integer ?? 0) * ($0["remaining"]?.integer ?? 0) / 1_000_000 }
            return Truth(
                money: answer["money"]?.integer ?? -1, holdings: holdings,
                openOrders: Set(orders.compactMap { $0["hash"]?.string }),
                waitingTradeCount: answer["waiting_trades"]?.array?.count ?? 0,
                bound: purchases.reduce(0, +), largestPurchase: purchases.max() ?? 0,
                tokensBidFor: Set(bids.compactMap { $0["token"]?.string }))
        }
    }

    var audit: JSONValue {
        get async throws {
            guard let desk = try await self.pipeline.get("/audit")["desk"] else {
                throw WaitedInVain(description: "the venue has no desk")
            }
            return desk
        }
    }

    // MARK: What the ledger knows

    struct Ledger {
        var cash: Int64 = 0
        var holdings: [String: Int64] = [:]
        var states: [String: String] = [:]
        /// Trades of fills that wait for the chain.
        var pending: [String: JSONValue] = [:]
        var fillCount = 0
        /// Orders that came with their trades.
        var foreignCount = 0
        /// Markets that had an order.
        var markets: Set<String> = []
        var halts: [String] = []

        var openOrderCount: Int {
            self.states.values.count { !["filled", "cancelled", "rejected", "expired"].contains($0) }
        }
        var unknownCount: Int { self.states.values.count { $0 == "unknown" } }
    }

    /// The live ledger, replayed by other means than stratd's.
    var ledger: Ledger {
        get throws {
            var ledger = Ledger()
            var filled: [String: Int64] = [:]
            var sizes: [String: Int64] = [:]
            for name in try JournalFile.entries(of: self.stateDirectory).sorted()
            where name.hasPrefix("ledger-live") && name.hasSuffix(".jsonl") {
                let bytes = contents(of: self.stateDirectory + "/" + name) ?? []
                for line in bytes.split(separator: UInt8(ascii: "\n")) {
                    guard let record = try? JSONValue(parsing: line) else { continue }
                    switch record["type"]?.string {
                    case "funds": ledger.cash += record["money"]?.integer ?? 0
                    case "intent":
                        let order = record["intent"]?["order"]
                        let id = order?["order"]?.string ?? ""
                        ledger.states[id] = "intended"
                        if record["intent"]?["foreign"]?.bool == true { ledger.foreignCount += 1 }
                        ledger.markets.insert(order?["market"]?.string ?? "")
                        sizes[id] = order?["size"]?.integer ?? 0
                    case "state": ledger.states[record["order"]?.string ?? ""] = record["state"]?.string
                    case "halt": ledger.halts.append(record["reason"]?.string ?? "")
                    case "fill":
                        guard let fill = record["fill"] else { continue }
                        ledger.book(fill, sign: 1)
                        ledger.fillCount += 1
                        let id = fill["order"]?.string ?? ""
                        filled[id, default: 0] += fill["size"]?.integer ?? 0
                        if filled[id] == sizes[id] { ledger.states[id] = "filled" }
                        if fill["settlement"]?.string != "confirmed" {
                            ledger.pending[(fill["trade"]?.string ?? "") + id] = fill
                        }
                    case "settlement":
                        let key = (record["trade"]?.string ?? "") + (record["order"]?.string ?? "")
                        switch record["settlement"]?.string {
                        case "confirmed": ledger.pending[key] = nil
                        case "failed":
                            if let fill = ledger.pending.removeValue(forKey: key) { ledger.book(fill, sign: -1) }
                        default: break
                        }
                    default: break
                    }
                }
            }
            ledger.holdings = ledger.holdings.filter { $0.value != 0 }
            return ledger
        }
    }
}

extension LiveAccount {
    /// Waits until all trades are on the chain and stratd, started once more with a halt, knows it; then compares.
    func expectAgreement(_ hint: String = "") async throws {
        try self.pipeline.directory.write("state/HALT", "")
        let stratd = try self.start()
        // It reads the venue before it may be asked to stop.
        _ = try await stratd.line(of: .errors) { $0.contains("Started") }
        try await waitFor("all trades to settle", state: hint + stratd.report) { () -> Bool? in
            guard try await self.truth.waitingTradeCount == 0 else { return nil }
            let ledger = try self.ledger
            return ledger.pending.isEmpty && ledger.openOrderCount == 0 ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        let (truth, ledger) = (try await self.truth, try self.ledger)
        #expect(truth.openOrders.isEmpty, "\(hint)")
        #expect(ledger.holdings == truth.holdings, "\(hint)")
        #expect(ledger.cash == truth.money, "\(hint)")
        #expect(!ledger.halts.contains("ledger"), "\(hint)\n\(stratd.report)")
    }
}

extension LiveAccount.Ledger {
    fileprivate mutating func book(_ fill: JSONValue, sign: Int64) {
        let size = fill["size"]?.integer ?? 0
        let (money, fee) = (fill["money"]?.integer ?? 0, fill["fee"]?.integer ?? 0)
        let isBuy = fill["side"]?.string == "buy"
        self.holdings[fill["token"]?.string ?? "", default: 0] += sign * (isBuy ? size : -size)
        self.cash += sign * (isBuy ? -money - fee : money - fee)
    }
}
