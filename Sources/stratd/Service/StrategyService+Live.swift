import DaemonKit
import Logging
import Shared
import Signing

/// The account at the real venue, once it was checked.
struct LiveAccount: Sendable {
    let clob: ClobClient
    let credentials: AccountCredentials
    let form: OrderForm

    var owner: VenueTrade.Owner { VenueTrade.Owner(key: self.credentials.key, maker: "\(self.form.maker)") }
}

/// Live trading: the checks before it, the requests of the desk, the user channel and the heartbeat.
extension StrategyService {
    /// Pauses between two rounds of checks that did not pass.
    private static let checkPauseMin = Duration.seconds(1)
    private static let checkPauseMax = Duration.seconds(30)
    /// Between two log-ins.
    private static let loginPause = Duration.seconds(10)

    func startLive() {
        guard self.opening != nil else { return }
        let orders = LiveOrders(ask: { [unowned self] in self.ask($0) }, tell: { [unowned self] in self.log($0) })
        self.liveOrders = orders
        self.venue = orders
        Task(executorPreference: self.loop) { await self.openLive() }
    }

    /// Checks everything that live trading needs, again and again until all is well, then opens the desk.
    private func openLive() async {
        guard let live = self.liveOrders, let opening = self.opening else { return }
        self.opening = nil
        var session = opening.session
        var pause = Self.checkPauseMin
        while !self.isStopped {
            guard let account = await self.check(live, &session, opening.form) else {
                await self.loop.sleep(for: pause)
                pause = min(pause + pause, Self.checkPauseMax)
                continue
            }
            guard !self.isStopped else { return }
            self.session = session
            do throws(DaemonExit) { try self.open(live, account) } catch { return self.context.requestStop(error) }
            self.advanceNow()
            Task(executorPreference: self.loop) { await self.watchPositions() }
            return await self.watchAccount()
        }
    }

    /// - Returns: `nil` when something is missing, which was said.
    private func check(
        _ live: LiveOrders, _ session: inout AccountSession, _ form: OrderForm
    ) async -> LiveAccount? {
        var doctor = Doctor(session, self.context.configuration, stateDirectory: self.context.stateDirectory)
        doctor.isQuiet = true
        _ = try? await doctor.run()
        session = doctor.session
        let problems = doctor.findings.compactMap { self.tell($0.name, $0.verdict) }
        guard problems.isEmpty else {
            live.closedReason = "checks before live trading failed: " + problems.joined(separator: ", ")
            return nil
        }
        do throws(ClobFailure) {
            let credentials = try await session.login()
            if !self.engine.ledger.isFunded {
                let funds = try await session.clob.funds(
                    credentials, signatureType: Int(form.signatureType.rawValue), now: .now())
                self.take(.fund(funds.balance), now: .now())
            }
            return LiveAccount(clob: session.clob, credentials: credentials, form: form)
        } catch {
            live.closedReason = "the account cannot be opened: \(error)"
            return nil
        }
    }

    /// - Returns: the check's name, when it failed.
    private func tell(_ name: String, _ verdict: Doctor.Verdict) -> String? {
        switch verdict {
        case .well(let text):
            self.logger.info("A check before live trading passed", metadata: ["check": "\(name)", "found": "\(text)"])
            return nil
        case .open(let text):
            self.logger.info(
                "A check before live trading was left out", metadata: ["check": "\(name)", "reason": "\(text)"])
            return nil
        case .odd(let text, let remedy):
            self.logger.warning(
                "A check before live trading found something odd",
                metadata: ["check": "\(name)", "found": "\(text)", "advice": "\(remedy)"])
            return nil
        case .ill(let text, let remedy):
            self.logger.error(
                "A check before live trading failed",
                metadata: ["check": "\(name)", "found": "\(text)", "advice": "\(remedy)"])
            return name
        }
    }

    private func open(_ live: LiveOrders, _ account: LiveAccount) throws(DaemonExit) {
        let now = Moment.now()
        let ledger = self.engine.ledger
        // The checks have asked for it.
        live.balanceReadAt = now.instant
        live.open(
            OrderDesk(
                open: ledger.openOrders, finished: ledger.finishedQueue.compactMap { ledger.order($0) },
                unsettled: Dictionary(ledger.pending.map { ($0.trade, $0.time) }) { min($0, $1) },
                since: self.tradesMissingSince, now: now))
        try self.connect(live, account)
        self.logger.notice(
            "Live trading is open", metadata: ["maker": "\(account.form.maker)", "cash": "\(ledger.cash)"])
    }

    /// From when on trades may not be booked yet.
    private var tradesMissingSince: Timestamp? {
        let ledger = self.engine.ledger
        guard let since = ledger.tradesReadTo ?? self.ledgerTime else { return nil }
        // Of what was matched before, the orders may be forgotten: their trades would be taken for somebody else's.
        guard ledger.finishedQueue.count >= OrderLedger.finishedOrderCountMax,
            let oldest = ledger.finishedQueue.first.flatMap({ ledger.order($0) })
        else { return since }
        return max(since, oldest.body.time + OrderDesk.lossMax * 2)
    }

    /// Begins to hear and to beat with the account's credentials, in the place of those before.
    private func connect(_ live: LiveOrders, _ account: LiveAccount) throws(DaemonExit) {
        self.userLine?.stop()
        self.heart?.stop()
        let line = try UserLine(self.context, account.credentials, account.owner)
        let warn = self.warn
        line.warn = { warn($0, $1) }
        line.onReport = {
            live.take($0, now: .now())
            self.advanceNow()
        }
        line.onChange = { self.advanceNow() }
        live.isHearing = { line.isOpen }
        self.userLine = line
        self.live = account
        do throws(SystemError) {
            self.heart = try Heart(account.clob, account.credentials, engine: self.loop) { [weak self] report in
                self?.assumeIsolated { $0.heard(report) }
            }
        } catch { throw DaemonExit(.bug, "No thread for heartbeats: \(error).") }
        line.start()
    }

    /// The venue does not know the credentials, or our clock is too far from its own: both are learnt anew.
    private func loginAgain() async {
        let now = Instant.now()
        guard let live = self.liveOrders, let account = self.live, var session = self.session,
            self.loginAt.map({ now - $0 >= Self.loginPause }) ?? true
        else { return }
        self.loginAt = now
        do throws(ClobFailure) {
            let known = session.clob.clockOffset
            _ = try await session.learnClock()
            let change = session.clob.clockOffset - known
            // Of given credentials there are no others: unless it was the clock, they stay as wrong as they are.
            if let given = session.given, max(change, .zero - change) <= AccountSession.clockOffsetMax {
                return self.warn(
                    "The log-in to the venue failed",
                    ["reason": "the venue refuses the credentials that were given, \(given.place)"])
            }
            session.forget()
            let credentials = try await session.login()
            self.session = session
            guard !self.isClosed else { return }
            let renewed = LiveAccount(clob: session.clob, credentials: credentials, form: account.form)
            do throws(DaemonExit) { try self.connect(live, renewed) } catch { return self.context.requestStop(error) }
            self.logger.notice("Logged in to the venue again")
        } catch { self.warn("The log-in to the venue failed", ["reason": "\(error)"]) }
    }

    func closeLive() {
        self.userLine?.stop()
        self.heart?.stop()
        self.live?.clob.client.stop()
    }

    private func heard(_ report: Heart.Report) {
        switch report {
        case .beat:
            self.count("heartbeats")
            self.liveOrders?.lastBeat = .now()
        case .failed(let failure):
            self.count("heartbeats_failed")
            self.warn("A heartbeat failed", ["reason": "\(failure)"])
        case .withheld:
            self.count("heartbeats_withheld")
            self.warn("A heartbeat was withheld: the engine's loop did not answer", [:])
        case .foreign:
            guard !self.isStopped else { return }
            self.take(.command(.halt(reason: "another_stratd")), now: .now())
        }
    }

    // MARK: Requests

    /// Performs a request of the desk; its answer goes back to it.
    private func ask(_ request: OrderDesk.Request) {
        Task(executorPreference: self.loop) { await self.perform(request) }
    }

    private func perform(_ request: OrderDesk.Request) async {
        guard let account = self.live else { return }
        let answer = await self.answer(request, account, now: .now())
        guard !self.isClosed else { return }
        self.take(.requestEnded(isFailure: answer.isRequestFailure), now: .now())
        self.liveOrders?.take(answer, now: .now())
        self.advanceNow()
        if case .unauthorized = answer.failure { await self.loginAgain() }
    }

    private nonisolated func answer(
        _ request: OrderDesk.Request, _ account: LiveAccount, now: Timestamp
    ) async -> OrderDesk.Answer {
        let (clob, credentials) = (account.clob, account.credentials)
        switch request {
        case .place(let orders):
            let bodies = orders.map { self.signed($0, account, now: now) }
            return .placed(
                orders,
                await Self.result { () async throws(ClobFailure) in try await clob.place(bodies, credentials, now: now)
                })
        case .cancel(let hashes):
            return .cancelled(
                hashes,
                await Self.result { () async throws(ClobFailure) in try await clob.cancel(hashes, credentials, now: now)
                }
            )
        case .cancelAll(let hashes):
            return .cancelled(
                hashes,
                await Self.result { () async throws(ClobFailure) in try await clob.cancelAll(credentials, now: now) })
        case .readOrder(let hash):
            return .order(
                hash,
                await Self.result { () async throws(ClobFailure) in try await clob.order(hash, credentials, now: now) })
        case .readOpenOrders:
            do throws(ClobFailure) {
                let read = try await clob.openOrders(credentials, now: now)
                return .openOrders(.success(read.orders), unreadCount: read.unreadCount)
            } catch { return .openOrders(.failure(error)) }
        case .readTrades(let since):
            return .trades(
                await Self.result { () async throws(ClobFailure) in
                    let read = try await clob.trades(since: since, of: account.owner, credentials, now: now)
                    if read.unreadCount > 0 { await self.tellUnread(read.unreadCount) }
                    return read.trades
                }, asOf: now)
        case .readTrade(let id):
            return .trade(
                id,
                await Self.result { () async throws(ClobFailure) in
                    try await clob.trade(id, of: account.owner, credentials, now: now)
                })
        }
    }

    private static func result<Value: Sendable>(
        _ body: () async throws(ClobFailure) -> Value
    ) async -> Result<Value, ClobFailure> {
        do throws(ClobFailure) { return .success(try await body()) } catch { return .failure(error) }
    }

    /// The order as the venue wants it. Quotes end by themselves, a minute before the expiration that is told.
    private nonisolated func signed(_ order: ApprovedOrder, _ account: LiveAccount, now: Timestamp) -> [UInt8] {
        let message = account.form.message(order.id, order.intent, at: order.time)
        let (_, signature) = message.sign(with: account.clob.key, in: account.form.domain(order.intent))
        let end = now + account.clob.clockOffset + self.context.configuration.trading.quoteLifetime + .seconds(60)
        return ClobClient.body(
            of: message, signature, kind: order.intent.kind, isPostOnly: order.intent.isPostOnly,
            expiration: order.intent.kind == .gtd ? end.microseconds / 1_000_000 : 0, owner: account.credentials.key)
    }

    // MARK: The log

    private func tellUnread(_ count: Int) {
        self.count("trades_unread")
        self.warn("Trades of the account are told in a form that cannot be read", ["malformed": "\(count)"])
    }

    func log(_ note: OrderDesk.Note) {
        switch note {
        case .stray(let hash):
            self.count("stray_orders")
            self.warn("An order that the ledger does not know is cancelled", ["hash": "\(hash)"])
        case .cancelFailed(let count, let failure):
            self.count("cancels_failed")
            self.warn("Orders could not be cancelled yet", ["orders": "\(count)", "reason": "\(failure)"])
        case .readFailed(let failure):
            self.count("account_reads_failed")
            self.warn("The account's orders or trades could not be read", ["reason": "\(failure)"])
        case .ordersUnread(let count):
            self.count("orders_unread")
            self.warn("Open orders of the account are told in a form that cannot be read", ["malformed": "\(count)"])
        case .misnamed(let order, let id):
            self.logger.critical(
                "The venue calls an order by another id than its hash",
                metadata: ["order": "\(order)", "hash": "\(id)"])
            self.take(.command(.halt(reason: "order_id")), now: .now())
        case .barred(let reason):
            self.logger.critical("The venue lets this account trade no more", metadata: ["reason": "\(reason)"])
            self.take(.command(.halt(reason: "account")), now: .now())
        case .neverCame(let order, let hash):
            self.logger.notice(
                "An order of unknown fate never came to the venue", metadata: ["order": "\(order)", "hash": "\(hash)"])
        case .unreadPart(let trade):
            self.count("trade_parts_unread")
            self.logger.warning(
                "A part of the account's in a trade is told in a form that cannot be read",
                metadata: ["trade": "\(trade)"])
        case .reconciled(let open, let unknown):
            self.count("reconciliations")
            self.logger.debug(
                "The venue's orders were compared with the ledger",
                metadata: ["orders": "\(open)", "unknown": "\(unknown)"])
        }
    }
}
