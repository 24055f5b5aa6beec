import DaemonKit
import Logging
import Shared
import Signing

/// The account's positions, as the venue's Data API lists them, beside the ledger's.
extension StrategyService {
    /// Compares positions at once, and again and again. That the Data API is away keeps nothing from going on.
    func watchPositions() async {
        guard let account = self.live, let orders = self.liveOrders else { return }
        let venue = self.context.configuration.venue
        var watch = PositionWatch(lagMax: venue.dataLagMax)
        let reader = DataReader(
            client: account.clob.client, baseURL: venue.dataURL, wallet: "\(account.form.maker)", loop: self.loop)
        var lastLook = Instant.now()
        while !self.isStopped {
            let isCaughtUp = orders.hasRead(since: lastLook)
            let event = await reader.read()
            guard !self.isStopped else { return }
            let findings = watch.take(event, self.engine.ledger, isCaughtUp: isCaughtUp, now: .now())
            for finding in findings { await self.take(finding, account) }
            self.note(watch)
            // What is read from here on was read between two looks.
            lastLook = .now()
            if watch.isMoving {
                orders.reconcile(now: .now())
                self.advanceNow()
            }
            await self.loop.sleep(for: watch.pause(now: .now()))
        }
    }

    private func note(_ watch: PositionWatch) {
        self.count(watch.failureCount == 0 ? "position_reads" : "position_reads_failed")
        self.counters["data_api_down"] = watch.failureCount == 0 ? 0 : 1
        self.counters["data_api_behind_s"] = watch.behind.components.seconds
        self.counters["positions_agreeing"] = Int64(watch.agreeingCount)
        self.counters["positions_differing"] = Int64(watch.differing.count)
        self.counters["positions_foreign"] = Int64(watch.foreignCount)
    }

    /// What the status line adds about the Data API.
    var dataStatus: String { self.counters["data_api_down"] == 1 ? ", the Data API is away" : "" }

    private func take(_ finding: PositionWatch.Finding, _ account: LiveAccount) async {
        switch finding {
        case .away(let reason):
            self.logger.warning(
                "The Data API cannot be read, positions are not compared with it", metadata: ["reason": "\(reason)"])
        case .back(let duration):
            self.logger.notice(
                "The Data API can be read again", metadata: ["seconds": "\(duration.milliseconds / 1_000)"])
        case .behind(let duration):
            self.logger.warning(
                "The Data API is behind the chain", metadata: ["seconds": "\(duration.components.seconds)"])
        case .caughtUp: self.logger.notice("The Data API has caught up with the chain")
        case .unreadable(let count):
            self.logger.warning("Positions of the Data API cannot be read", metadata: ["malformed": "\(count)"])
        case .unredeemed(let token, let size):
            self.logger.notice(
                "Shares of a market that has ended wait to be redeemed",
                metadata: ["token": "\(token)", "size": "\(size)"])
        case .foreign(let token, let size, let isRedeemable):
            self.logger.warning(
                "The account holds shares that the ledger does not know",
                metadata: ["token": "\(token)", "size": "\(size)", "redeemable": "\(isRedeemable)"])
        case .differs(let token, let ledger, let venue):
            self.take(.command(.halt(reason: "ledger")), now: .now())
            // Who is to find out wants to know which of the two the venue's other page bears out.
            let balance = try? await account.clob.shares(
                of: token, account.credentials, signatureType: Int(account.form.signatureType.rawValue), now: .now())
            self.logger.critical(
                "The Data API's position is not the ledger's",
                metadata: [
                    "token": "\(token)", "ledger": "\(ledger)", "venue": "\(venue)",
                    "balance": "\(balance?.description ?? "unknown")",
                ])
        case .agrees(let token, let size):
            self.logger.notice(
                "The Data API's position is the ledger's again", metadata: ["token": "\(token)", "size": "\(size)"])
        }
    }
}
