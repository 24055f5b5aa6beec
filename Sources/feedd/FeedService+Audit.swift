import DaemonKit
import Shared

/// A line may live and yet have lost what it had to say of a quiet market: the REST interface is asked now and then.
extension FeedService {
    /// A market is quiet after this share of `feed.silence_max_s`, and is asked for as often.
    private static let quietShare = 3
    /// What a line is about to say may be overtaken by an answer: it has so long before anything is made of it.
    private static let overtakingMax = Duration.milliseconds(250)

    /// To be called each second. One round at a time.
    func audit() {
        let now = Instant.now()
        let quietMin = self.context.configuration.feed.silenceMax / Self.quietShare
        guard !self.lookups.isAuditing else { return }
        let markets = self.markets.values.filter { $0.isTrusted && $0.builder.source == .webSocket }
        guard markets.contains(where: { $0.audit.isDue(quietMin: quietMin, now: now) }), self.mayAsk(.books) else {
            return
        }
        let quiet = markets.filter { $0.audit.mayGoAlong(quietMin: quietMin, now: now) }.sorted { $0.n < $1.n }
            .prefix(VenueBooks.bookCountMax)
        for market in quiet { market.audit.begin(now: now) }
        self.lookups.isAuditing = true
        self.count("audits")
        let tokens = quiet.map { $0.builder.market.first.token }
        Task(executorPreference: self.loop) { await self.audit(tokens) }
    }

    private func audit(_ tokens: [TokenID]) async {
        // Who does not answer in the time that silence is believed is asked again.
        let timeout = min(VenueBooks.timeout, self.context.configuration.feed.silenceMax)
        do throws(VenueBooks.Failure) {
            let (books, malformed, duration) = try await self.venue.books(tokens, within: timeout)
            self.noteAnswer(after: duration)
            self.count("polled_malformed", Int64(malformed))
            let younger = books.filter { self.linesBehind($0) != nil }
            if !younger.isEmpty { await self.loop.sleep(for: Self.overtakingMax) }
            for book in younger { self.compare(book) }
        } catch {
            self.count("audits_failed")
            self.noteFailure(error)
        }
        self.lookups.isAuditing = false
    }

    /// What is fetched may be long past, so it is no reason to distrust a book; but it is one to ask the lines once more.
    func compare(_ book: RESTBook) {
        guard let (market, isLeaderBehind, isFollowerBehind) = self.linesBehind(book) else { return }
        if isLeaderBehind {
            self.count("audits_doubted")
            self.connections[market.connection].refresh(market.tokens)
        }
        if isFollowerBehind, let follower = market.follower {
            self.connections[follower.connection].refresh(market.tokens)
        }
    }

    /// Which of a market's lines have not told of a fetched book yet; `nil` when both have.
    private func linesBehind(_ book: RESTBook) -> (market: CarriedMarket, leader: Bool, follower: Bool)? {
        guard let market = self.marketsByCondition[book.market], market.builder.outcome(of: book.token) == 0 else {
            return nil
        }
        let time = Timestamp(milliseconds: book.timestamp)
        func isBehind(_ builder: BookBuilder) -> Bool {
            // At one time there may have been several books, and the last was lost or undone by a repetition.
            guard let hash = builder.hash else { return time > builder.settledTime }
            return hash != book.hash && time >= builder.settledTime
        }
        let leader = market.builder.isTrusted && isBehind(market.builder)
        let follower = market.follower.map { isBehind($0.builder) } ?? false
        return leader || follower ? (market, leader, follower) : nil
    }
}
