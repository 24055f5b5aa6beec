import DaemonKit
import Glibc
import Shared
import Signing

/// `stratd doctor`: whether everything is there that live trading needs, and for each thing that is not what to do about it.
///
/// It places no order. A sign of life, which arms the venue's kill-switch, is sent only while nothing is open.
struct Doctor {
    /// The order format that this program writes.
    private static let version: Int64 = 2
    private static let awayRemedy =
        "See whether the venue can be reached from here: network, venue.proxy, addresses in [venue]."
    /// Room that the journals should have.
    private static let roomMin = 200_000_000

    enum Verdict: Equatable {
        case well(String)
        case ill(String, remedy: String)
        /// Not as it should be; live trading does not depend on it.
        case odd(String, remedy: String)
        /// Not looked at, and why.
        case open(String)
    }

    private(set) var session: AccountSession
    let configuration: Configuration
    let stateDirectory: String

    private var illCount = 0
    /// What was found so far.
    private(set) var findings: [(name: String, verdict: Verdict)] = []
    /// Whether no lines are printed, as a command does.
    var isQuiet = false

    init(_ session: AccountSession, _ configuration: Configuration, stateDirectory: String) {
        self.session = session
        self.configuration = configuration
        self.stateDirectory = stateDirectory
    }

    /// - Throws: code 77 when something is missing.
    mutating func run() async throws(DaemonExit) {
        await self.look("region", remedy: "Trade from a place where the venue allows it; there is no way around.") {
            (doctor) async throws(ClobFailure) in try await doctor.region()
        }
        await self.look("clock", remedy: "Try again: the venue is in trouble.") {
            (doctor) async throws(ClobFailure) in try await doctor.clock()
        }
        await self.look("version", remedy: "See venue.clob_url.") {
            (doctor) async throws(ClobFailure) in try await doctor.version()
        }
        self.tell("wallet", self.wallet())
        await self.look("credentials", remedy: "Set the clock, and see that the key is the account's.") {
            (doctor) async throws(ClobFailure) in try await doctor.credentials()
        }
        await self.look("account", remedy: "Ask the venue's support what the account may do.") {
            (doctor) async throws(ClobFailure) in try await doctor.account()
        }
        await self.look("funds", remedy: "See trading.signature_type and trading.funder_address.") {
            (doctor) async throws(ClobFailure) in try await doctor.funds()
        }
        await self.look("terms", remedy: "Use a version of this program that knows what the venue serves.") {
            (doctor) async throws(ClobFailure) in try await doctor.terms()
        }
        await self.look("heartbeat", remedy: "Try again; without heartbeats open orders outlive a crash.") {
            (doctor) async throws(ClobFailure) in try await doctor.heartbeat()
        }
        self.tell("positions", await self.positions())
        self.tell("disk", self.disk())
        guard self.illCount == 0 else {
            throw DaemonExit(.refused, "\(self.illCount) of these must be mended before live trading.")
        }
    }

    private mutating func look(
        _ name: String, remedy: String, _ body: (inout Doctor) async throws(ClobFailure) -> Verdict
    ) async {
        do throws(ClobFailure) { self.tell(name, try await body(&self)) } catch {
            let isAway = if case .transport = error { true } else { false }
            self.tell(name, .ill("\(error)", remedy: isAway ? Self.awayRemedy : remedy))
        }
    }

    private mutating func tell(_ name: String, _ verdict: Verdict) {
        if Self.isIll(verdict) { self.illCount += 1 }
        self.findings.append((name, verdict))
        guard !self.isQuiet else { return }
        let column = name + String(repeating: " ", count: max(1, 12 - name.utf8.count))
        switch verdict {
        case .well(let text): self.session.tell("ok      \(column)\(text)")
        case .open(let text): self.session.tell("skipped \(column)\(text)")
        case .ill(let text, let remedy), .odd(let text, let remedy):
            self.session.tell("\(Self.isIll(verdict) ? "FAILED  " : "warning ")\(column)\(text)")
            self.session.tell("        \(String(repeating: " ", count: 12))\(remedy)")
        }
    }

    private static func isIll(_ verdict: Verdict) -> Bool { if case .ill = verdict { true } else { false } }

    // MARK: What is looked at

    private func region() async throws(ClobFailure) -> Verdict {
        let (isBlocked, country) = try await self.session.clob.region(self.configuration.venue.geoblockURL)
        guard isBlocked else { return .well("trading is allowed from here (\(country))") }
        return .ill(
            "the venue does not allow trading from here (\(country))",
            remedy: "Trade from a place where the venue allows it; there is no way around.")
    }

    private mutating func clock() async throws(ClobFailure) -> Verdict {
        let offset = try await self.session.learnClock()
        let limit = self.configuration.risk.clockSkewMax
        let text =
            "differs from the venue's by \(offset.milliseconds) ms, told in whole seconds;"
            + " -\((limit + VenueClock.resolution).milliseconds) to \(limit.milliseconds) are allowed"
        // As the running stratd reckons: what passes here must not be refused there.
        guard VenueClock.skew(offset) > limit else { return .well(text) }
        return .ill(
            text,
            remedy: "Let systemd-timesyncd or chrony set it; risk.clock_skew_max_ms says how much is allowed.")
    }

    private func version() async throws(ClobFailure) -> Verdict {
        let version = try await self.session.clob.version()
        guard version != Self.version else { return .well("the venue takes orders of format \(version)") }
        return .ill(
            "the venue takes orders of format \(version), this program writes \(Self.version)",
            remedy: "Use a version of this program that writes that format.")
    }

    private func wallet() -> Verdict {
        let owner = self.session.clob.key.address
        let trading = self.configuration.trading
        let given = trading.funderAddress.flatMap { Address($0) }
        let contracts: [WalletContract] =
            switch trading.signatureType {
            case 1: [.proxy]
            case 2: [.safe]
            case 3: [.depositWallet, .depositWalletUUPS]
            default: []
            }
        let wallets = contracts.isEmpty ? [owner] : contracts.map { $0.address(ownedBy: owner) }
        guard let given else {
            guard !contracts.isEmpty else { return .well("\(owner), the key's own") }
            let names = wallets.map(\.description).joined(separator: " or ")
            return .ill(
                "trading.funder_address is empty, and signature type \(trading.signatureType) needs a wallet",
                remedy: "Set it to the wallet that the venue shows in the profile: \(names).")
        }
        guard !wallets.contains(given) else { return .well("\(given), signature type \(trading.signatureType)") }
        let names = wallets.map(\.description).joined(separator: " or ")
        return .ill(
            "\(given) is no wallet of the key \(owner) for signature type \(trading.signatureType), \(names) is",
            remedy: "Correct trading.signature_type or trading.funder_address, or use the key of that wallet.")
    }

    private mutating func credentials() async throws(ClobFailure) -> Verdict {
        do throws(ClobFailure) {
            _ = try await self.session.clob.openOrders(try await self.session.login(), now: .now())
        } catch {
            guard case .unauthorized = error, self.session.credentials != nil else { throw error }
            if let given = self.session.given {
                return .ill(
                    "the venue refuses those at \(given.place)",
                    remedy:
                        "Put this account's own there, or remove them: without them the key gets its own from the venue."
                )
            }
            self.session.forget()
            _ = try await self.session.clob.openOrders(try await self.session.login(), now: .now())
        }
        if let given = self.session.given { return .well("the venue knows those at \(given.place)") }
        return .well("the venue knows them; they are kept in \(self.session.store.path)")
    }

    private mutating func account() async throws(ClobFailure) -> Verdict {
        guard let credentials = self.session.credentials else { return .open("there are no credentials") }
        guard try await self.session.clob.isClosedOnly(credentials, now: .now()) else {
            return .well("may buy and sell")
        }
        return .ill("may only sell what it holds", remedy: "Ask the venue's support why.")
    }

    private mutating func funds() async throws(ClobFailure) -> Verdict {
        guard let credentials = self.session.credentials else { return .open("there are no credentials") }
        let (balance, allowances) = try await self.session.clob.funds(
            credentials, signatureType: self.configuration.trading.signatureType, now: .now())
        guard balance > .zero else {
            return .ill("the wallet holds no pUSD", remedy: "Deposit, or see whether this is the right wallet.")
        }
        let exchanges = [Exchange.exchangeV2, .negRiskExchangeV2].map { ExchangeDomain.of($0).verifyingContract }
        let short = exchanges.filter { (allowances[$0] ?? .zero) < balance }
        guard short.isEmpty else {
            return .ill(
                "\(short.map(\.description).joined(separator: " and ")) may not move the \(balance) pUSD of the wallet",
                remedy: "Approve the exchange on the venue's website: its first trade there asks for it.")
        }
        // Who may buy and not sell cannot get out of what was bought.
        let movers = try await self.session.clob.shareMovers(
            credentials, token: try await self.session.clob.anyMarket().token,
            signatureType: self.configuration.trading.signatureType, now: .now())
        let barred = exchanges.filter { !movers.contains($0) }
        guard !barred.isEmpty else {
            return .well("\(balance) pUSD, which both exchanges may move, and shares as well")
        }
        return .ill(
            "\(barred.map(\.description).joined(separator: " and ")) may not move the wallet's shares: none could be sold",
            remedy:
                "Call setApprovalForAll(exchange, true) on the conditional tokens' contract for each: a first sale on the venue's website asks for it."
        )
    }

    private func terms() async throws(ClobFailure) -> Verdict {
        let clob = self.session.clob
        let (tick, feeRate) = try await clob.terms(of: try await clob.anyMarket().condition)
        return .well("a market's tick (\(tick)) and taker fee (\(Decimal6.text(feeRate))) can be read")
    }

    private mutating func heartbeat() async throws(ClobFailure) -> Verdict {
        guard let credentials = self.session.credentials else { return .open("there are no credentials") }
        let open = try await self.session.clob.openOrders(credentials, now: .now())
        let openCount = open.orders.count + open.unreadCount
        guard openCount == 0 else {
            return .open("\(openCount) orders are open, and the first heartbeat arms what would cancel them")
        }
        try await self.session.clob.beat(credentials, now: .now())
        return .well("the venue takes it")
    }

    private func positions() async -> Verdict {
        let trading = self.configuration.trading
        let form = OrderForm(
            owner: self.session.clob.key.address, funder: trading.funderAddress.flatMap { Address($0) },
            SignatureType(rawValue: UInt8(clamping: trading.signatureType)) ?? .eoa)
        let url = self.configuration.venue.dataURL
        switch await DataReader.look(self.session.clob.client, baseURL: url, wallet: "\(form.maker)") {
        case .success(let count): return .well("the Data API answers: \(count) positions on its first page")
        case .failure(let problem):
            return .odd(
                "the Data API does not answer as it should: \(problem.reason)",
                remedy: "Trading goes on without; where it stays so, see venue.data_url.")
        }
    }

    private func disk() -> Verdict {
        var status = statvfs()
        guard statvfs(self.stateDirectory, &status) == 0 else {
            return .ill(
                "\(self.stateDirectory) cannot be looked at: \(String(cString: strerror(errno)))",
                remedy: "Make it, or choose another with --state-dir.")
        }
        let room = Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        guard room < Self.roomMin || access(self.stateDirectory, W_OK) != 0 else {
            return .well("\(room / 1_000_000) MB are free in \(self.stateDirectory)")
        }
        return .ill(
            "\(self.stateDirectory) has \(room / 1_000_000) MB, or cannot be written",
            remedy: "Make room for the journals: \(Self.roomMin / 1_000_000) MB at least.")
    }

    /// What the command is.
    static let command = DaemonCommand(
        "doctor", "looks at everything that live trading needs, and says what to do about what is missing"
    ) { (context) async throws(DaemonExit) in
        var doctor = Doctor(
            try AccountSession(context), context.configuration, stateDirectory: context.stateDirectory)
        defer { doctor.session.end() }
        try await doctor.run()
    }
}
