import DaemonKit
import Shared

/// The venue broadcasts a market's end once. Who had no line just then, or does not carry the market any more, never hears of it; what
/// is held there would be held for ever.
extension FeedService {
    /// A market without a trusted book, or past its end, is asked for after this multiple of `feed.silence_max_s`, and again.
    private static let silences = 4

    /// To be called each second. One question at a time, for that market first that was asked for longest ago.
    func askForResolution(now: Instant, time: Timestamp) {
        let pause = self.context.configuration.feed.silenceMax * Self.silences
        guard !self.lookups.isResolving else { return }
        let never = Instant(nanoseconds: .min)
        let candidates = self.markets.values.filter { self.mayHaveEnded($0, pause: pause, now: now, time: time) }
        let next = candidates.min { ($0.resolutionAskedAt ?? never, $0.n) < ($1.resolutionAskedAt ?? never, $1.n) }
        guard let next, self.mayAsk(.market) else { return }
        next.resolutionAskedAt = now
        self.lookups.isResolving = true
        self.count("resolutions_asked")
        let n = next.n
        Task(executorPreference: self.loop) { await self.learnWinner(of: n) }
    }

    private func mayHaveEnded(_ market: CarriedMarket, pause: Duration, now: Instant, time: Timestamp) -> Bool {
        // A line may have named no winner where there is one: that would count as half for each.
        guard market.resolution?.winner == nil, market.resolutionAskedAt.map({ now - $0 > pause }) ?? true else {
            return false
        }
        let end = market.toldMarket.endTime
        let isOver = end.microseconds > 0 && time - end > pause
        return isOver || market.untrustedSince.map { now - $0 > pause } ?? false
    }

    private func learnWinner(of n: Int64) async {
        if let market = self.markets[n] {
            do throws(VenueBooks.Failure) {
                let (winner, duration) = try await self.venue.winner(of: market.builder.market)
                self.noteAnswer(after: duration)
                if let winner { self.takeWinner(winner, of: market) }
            } catch { self.noteFailure(error) }
        }
        self.lookups.isResolving = false
    }

    func takeWinner(_ winner: Int64, of market: CarriedMarket) {
        // A line may have told it meanwhile, and the market may be gone.
        guard market.resolution?.winner == nil, self.markets[market.n] === market else { return }
        let time = Timestamp.now()
        self.journal?.note(.resolved(n: market.n, winner: winner, at: time), connection: market.connection, at: time)
        self.count("resolutions_learnt")
        self.resolve(market, winner: winner, at: time)
    }
}
