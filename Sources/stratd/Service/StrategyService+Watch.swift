import DaemonKit
import Logging
import Shared
import Signing

/// Looks at what the venue says of its clock, and of the account's money and shares. What cannot be read is told, and hides
/// nothing of the rest.
extension StrategyService {
    /// Between two looks.
    private static let watchPauseMin = Duration.seconds(10)
    private static let watchPauseMax = Duration.seconds(60)

    /// Compares clock, balance and shares with the venue's, again and again.
    func watchAccount() async {
        var watch = BalanceWatch()
        var pause = Self.watchPauseMin
        var lastLook = Instant.now()
        while !self.isStopped {
            await self.loop.sleep(for: pause)
            guard !self.isStopped, let account = self.live, let orders = self.liveOrders else { return }
            let isCaughtUp = orders.hasRead(since: lastLook)
            await self.compareClock(account)
            var isMoving = await self.compareBalance(account, &watch, isCaughtUp: isCaughtUp)
            for token in watch.nextTokens(self.engine.ledger) {
                if await self.compareShares(of: token, account, &watch, isCaughtUp: isCaughtUp) { isMoving = true }
            }
            // What is read from here on was read between two looks.
            lastLook = .now()
            pause = isMoving ? Self.watchPauseMin : Self.watchPauseMax
            guard !self.isStopped else { return }
            // A trade may have gone unheard: it is looked for before the difference counts.
            if isMoving { orders.reconcile(now: .now()) }
            self.advanceNow()
        }
    }

    private func compareClock(_ account: LiveAccount) async {
        guard !self.isStopped else { return }
        do throws(ClobFailure) {
            let sent = Moment.now()
            let offset = try await account.clob.time() - sent.time
            // Set meanwhile, our clock was compared with neither.
            let step = Moment.now().step(since: sent)
            guard max(step, .zero - step) <= StrategyEngine.clockStepMax else { return }
            self.take(.clockSkew(VenueClock.skew(offset)), now: .now())
        } catch { self.tellUnread(error) }
    }

    /// - Returns: whether it is to be looked at again soon.
    private func compareBalance(_ account: LiveAccount, _ watch: inout BalanceWatch, isCaughtUp: Bool) async -> Bool {
        guard !self.isStopped else { return false }
        do throws(ClobFailure) {
            let funds = try await account.clob.funds(
                account.credentials, signatureType: Int(account.form.signatureType.rawValue), now: .now())
            guard !self.isStopped else { return false }
            self.liveOrders?.balanceReadAt = .now()
            let verdict = watch.compare(
                funds.balance, self.engine.ledger, fillCount: self.engine.fillCount, isCaughtUp: isCaughtUp)
            self.take(.compare(verdict), now: .now())
            return verdict == .moving
        } catch {
            self.tellUnread(error)
            return false
        }
    }

    /// - Returns: whether they are to be looked at again soon.
    private func compareShares(
        of token: TokenID, _ account: LiveAccount, _ watch: inout BalanceWatch, isCaughtUp: Bool
    ) async -> Bool {
        guard !self.isStopped else { return false }
        do throws(ClobFailure) {
            let shares = try await account.clob.shares(
                of: token, account.credentials, signatureType: Int(account.form.signatureType.rawValue), now: .now())
            guard !self.isStopped else { return false }
            let verdict = watch.compare(shares, of: token, self.engine.ledger, isCaughtUp: isCaughtUp)
            self.take(.compareShares(verdict, of: token), now: .now())
            return verdict == .moving
        } catch {
            self.tellUnread(error)
            return false
        }
    }

    private func tellUnread(_ failure: ClobFailure) {
        self.count("account_reads_failed")
        self.warn("The account's balance or the venue's clock could not be read", ["reason": "\(failure)"])
    }
}
