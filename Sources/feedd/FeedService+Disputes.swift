import DaemonKit
import Logging
import Shared

/// Two connections that tell two books of one moment: nobody is believed until they agree again, or the REST interface says whose book is
/// the venue's. Each line's books go on being built meanwhile.
extension FeedService {
    /// Between two questions for one market: while nothing of it is believed, and while only a convicted line speaks against it.
    private static let disputePause = Duration.milliseconds(500)
    private static let convictionPause = Duration.seconds(5)

    /// A dispute, or a line that was convicted: what both connections say decides on it first.
    ///
    /// - Parameter relation: `nil` where one of them has no book.
    /// - Returns: whether nothing else is to be made of it.
    func heed(_ relation: ProvedMoments.Relation?, of market: CarriedMarket, now: Instant) -> Bool {
        if market.dispute != nil {
            if market.noteInDispute(relation, now: now) {
                self.decide(.neither, of: market)
            } else {
                self.lookups.doubted.append(market.n)
            }
            return true
        }
        guard let isOver = market.conviction?.note(relation, now: now) else { return false }
        if isOver { self.decide(.neither, of: market) }
        guard relation == .contradict else { return false }
        self.lookups.doubted.append(market.n)
        return true
    }

    func beginDispute(of market: CarriedMarket) {
        guard market.follower != nil else { return }
        self.count("lines_contradict")
        // Not the follower's in the place of the leader's: it is no better.
        self.take(market.follower!.builder.distrust(.hashMismatch), ofFollowerOf: market)
        self.publish(market.builder.distrust(.hashMismatch), of: market)
        market.beginDispute(now: .now())
    }

    /// Both agree again, or the convicted one has not lied for a while.
    func endDispute(of market: CarriedMarket) {
        market.conviction = nil
        guard market.dispute != nil, market.builder.isTrusted else { return }
        market.endDispute(now: .now())
        market.builder.lead(epoch: market.builder.epoch + 1)
        self.publish(.snapshot, of: market)
    }

    /// What happens to the book of a market that nobody believes is not told.
    func withhold(_ effect: BookBuilder.Effect, of market: CarriedMarket) {
        if case .distrusted(let reason) = effect { self.renew(market, after: reason) }
    }

    // MARK: Judgement

    /// To be called after each look: asks for the books of all that are doubted, those first that were asked for longest ago.
    func arbitrate(now: Instant) {
        defer { self.lookups.doubted.removeAll(keepingCapacity: true) }
        guard !self.lookups.doubted.isEmpty, !self.lookups.isArbitrating else { return }
        let asked = self.lookups.doubted.compactMap { self.markets[$0] }.filter { $0.mayBeJudged(now: now) }
            .sorted { $0.judgementRank < $1.judgementRank }.prefix(VenueBooks.bookCountMax)
        guard !asked.isEmpty, self.mayAsk(.books) else { return }
        for market in asked {
            market.beginJudgement(now: now, pause: market.dispute == nil ? Self.convictionPause : Self.disputePause)
        }
        self.lookups.isArbitrating = true
        self.count("arbitrations")
        let tokens = asked.map { $0.builder.market.first.token }
        Task(executorPreference: self.loop) { await self.arbitrate(tokens) }
    }

    private func arbitrate(_ tokens: [TokenID]) async {
        let timeout = min(VenueBooks.timeout, self.context.configuration.feed.silenceMax)
        do throws(VenueBooks.Failure) {
            let (books, malformed, duration) = try await self.venue.books(tokens, within: timeout)
            self.noteAnswer(after: duration)
            self.count("polled_malformed", Int64(malformed))
            for book in books {
                // It may have ended meanwhile, or another may have been named.
                guard let market = self.marketsByCondition[book.market], market.isDoubted else { continue }
                self.take(book, fetchedFor: market)
            }
        } catch {
            self.count("arbitrations_failed")
            self.noteFailure(error)
        }
        self.lookups.isArbitrating = false
        self.endLiars()
    }

    /// Whether the REST interface sides with one of the two, whose book leads from now on.
    func judge(_ book: RESTBook, of market: CarriedMarket) -> Bool {
        guard market.isDoubted, market.builder.outcome(of: book.token) == 0, let follower = market.follower else {
            return false
        }
        let liar = ProvedMoments.liar(
            leader: market.builder.moments, follower: follower.builder.moments,
            fetched: LagWatch.State(time: Timestamp(milliseconds: book.timestamp), hash: book.hash))
        switch liar {
        case .follower where market.builder.isTrusted && market.builder.source == .webSocket:
            self.convict(follower.connection, of: market)
            guard market.dispute != nil else { return true }
            market.endDispute(now: .now())
            market.builder.lead(epoch: market.builder.epoch + 1)
            self.publish(.snapshot, of: market)
        case .leader:
            market.follower?.builder.settleLeftOut(hasher: &self.hasher)
            // In the midst of an operation it cannot be published: the next answer will do.
            guard market.isFollowerFit else { return false }
            market.endDispute(now: .now())
            let loser = market.connection
            self.makeFollowerLead(of: market, because: .hashMismatch)
            self.convict(loser, of: market)
        case .follower, .both, .neither, nil: return false
        }
        return true
    }

    private func convict(_ connection: Int, of market: CarriedMarket) {
        self.count("lines_convicted")
        self.warn(
            "A connection tells books that are not the venue's",
            ["market": "\(market.condition)", "connection": "\(connection)"])
        market.conviction = Conviction(connection: connection, now: .now())
        self.lookups.liars.insert(connection)
        // The loser follows, whoever led.
        guard market.follower?.connection == connection else { return }
        self.take(market.follower!.builder.distrust(.hashMismatch), ofFollowerOf: market)
    }

    /// Begins the lines of liars anew, each once in a while. After all books of an answer were looked at: what a line has told is gone
    /// with it.
    func endLiars() {
        let now = Instant.now()
        let liars = self.lookups.liars.sorted()
        self.lookups.liars = []
        for index in liars where self.connections[index].mayEndForLying(now: now) {
            self.connections[index].restart(.hashMismatch)
        }
    }
}
