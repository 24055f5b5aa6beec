import DaemonKit
import Logging
import Shared

/// From the venue's texts to published books.
extension FeedService {
    /// A book that stays untrusted for this long on a live line is fetched.
    private static let snapshotMax = Duration.seconds(2)
    /// Books fetched at a time.
    private static let fetchCountMax = 8
    /// A polled book is believed for so many polls, and never less than three seconds.
    private static let pollsTrusted = 3

    // MARK: Texts

    func take(_ text: UnsafeBufferPointer<UInt8>, on connection: Int) {
        let received = Timestamp.now()
        let now = Instant.now()
        self.messageCount += 1
        self.oldestVenueTime = .max
        self.hasher.beginText()
        self.isReading = true
        var problem: JSONError?
        var isJSON = false
        do throws(JSONError) {
            switch try self.reader.read(text, { self.take($0, on: connection, received: received, now: now) }) {
            case .events: isJSON = true
            case .pong: break
            case .notice(let notice):
                self.count("notices")
                self.warn("The venue sent a notice", ["text": "\(notice)"])
            }
        } catch {
            problem = error
            isJSON = RawJournal.isJSON(text)
        }
        let duration = (Instant.now() - now).nanoseconds / 1_000
        self.publishLatency.record(duration)
        if self.oldestVenueTime < .max && self.player == nil {
            self.wholeLatency.record(received.microseconds - self.oldestVenueTime * 1_000 + duration)
        }
        self.recordLeftOut(on: connection)
        self.journal?.take(text, isJSON: isJSON, connection: connection, received: received)
        self.isReading = false
        self.loseLines()
        guard let problem else { return }
        // Nobody knows which book that text was about: all of this line begin anew.
        self.count("texts_malformed")
        self.logger.error(
            "The venue sent a text that cannot be read",
            metadata: ["connection": "\(connection)", "reason": "\(problem)"])
        self.connections[connection].restart(.malformed)
    }

    private func take(_ event: borrowing MarketEvent, on connection: Int, received: Timestamp, now: Instant) {
        if event.kind == .newMarket || event.kind == .marketResolved { self.hint(event) }
        switch event.kind {
        case .unknown, .bestBidAsk, .newMarket:
            self.passedOver[event.kind, default: 0] += 1
            return
        case .book, .priceChange, .lastTradePrice, .tickSizeChange, .marketResolved: break
        }
        if event.timestamp > 0 && event.kind != .book {
            self.oldestVenueTime = min(self.oldestVenueTime, event.timestamp)
        }
        if event.timestamp > 0 && self.player == nil {
            self.venueLatency.record(received.microseconds - event.timestamp * 1_000)
        }
        guard let market = self.market(event) else {
            self.count("events_of_other_markets")
            return
        }
        market.audit.heard(now: now)
        if event.kind == .priceChange || event.kind == .lastTradePrice { market.silence.heard(now: now) }
        self.heard(event, on: connection, now: now)
        guard market.connection == connection else {
            return self.follow(event, market, on: connection, received: received, now: now)
        }
        switch event.kind {
        case .priceChange:
            let effect = market.builder.change(event, received: received, now: now, hasher: &self.hasher)
            self.publish(effect, of: market)
        case .book:
            guard let outcome = event.token.flatMap({ market.builder.outcome(of: $0) }) else {
                return self.count("events_of_other_markets")
            }
            let effect = market.builder.snapshot(
                event, outcome: outcome, received: received, now: now, hasher: &self.hasher)
            self.publish(effect, of: market)
        case .lastTradePrice:
            guard let trade = market.builder.trade(event, received: received) else { return }
            if market.follower == nil || market.tape.lead(trade) { self.publish(trade) }
        case .tickSizeChange: self.changeTick(event, of: market)
        case .marketResolved: self.resolve(event, market)
        case .unknown, .bestBidAsk, .newMarket: break
        }
    }

    private func market(_ event: borrowing MarketEvent) -> CarriedMarket? {
        if let condition = event.market { return self.marketsByCondition[condition] }
        return event.token.flatMap { self.marketsByToken[$0] }
    }

    /// Whichever connection tells it first: both books are laid out anew, and each is confirmed by its own line.
    func changeTick(_ event: borrowing MarketEvent, of market: CarriedMarket) {
        if market.follower?.builder.changeTick(event) != nil { _ = market.follower?.builder.distrust(.noSnapshot) }
        guard let change = market.builder.changeTick(event) else { return }
        self.logger.info("Tick size changed", metadata: ["market": "\(market.condition)", "tick": "\(change.new)"])
        self.server.publish(change, market: market.n)
        market.toldMarket.tick = change.new
        self.publish(market.builder.distrust(.noSnapshot), of: market)
        self.renew(market)
    }

    /// The venue may say it once for each outcome, and again after a reconnect.
    func resolve(_ event: borrowing MarketEvent, _ market: CarriedMarket) {
        let winner = event.token.flatMap { market.builder.outcome(of: $0) }
        // Who won is no outcome of this market: nobody knows what was meant, and the REST interface will tell.
        guard event.token == nil || winner != nil else { return self.count("winners_unknown") }
        self.resolve(market, winner: winner.map(Int64.init), at: Timestamp(milliseconds: event.timestamp))
    }

    func resolve(_ market: CarriedMarket, winner: Int64?, at time: Timestamp) {
        if let told = market.resolution, winner == nil || winner == told.winner { return }
        self.logger.info(
            "Market resolved",
            metadata: ["market": "\(market.condition)", "winner": "\(winner.map(String.init) ?? "none")"])
        let body = ResolvedBody(n: market.n, winner: winner, venueTime: time)
        market.resolution = body
        // Nobody's book of it is of interest any more.
        market.endDispute(now: .now())
        market.conviction = nil
        self.server.publish(body, market: market.n)
        self.publish(market.builder.distrust(.resolved), of: market)
    }

    /// Tells the subscribers what a message did to a book.
    func publish(_ effect: BookBuilder.Effect, of market: CarriedMarket) {
        guard market.dispute == nil || effect == .distrusted(.resolved) else {
            return self.withhold(effect, of: market)
        }
        let n = market.n
        switch effect {
        case .unchanged: break
        case .delta: self.server.publish(market.builder.delta, market: n, as: .book(n: n))
        case .snapshot:
            market.recovered()
            if market.isTroubleLogged {
                market.isTroubleLogged = false
                self.logger.info("Book is trusted again", metadata: ["market": "\(market.condition)"])
            }
            // A fetched book brings the venue's own terms.
            self.tellTerms(of: market)
            self.server.publish(market.body(conflated: nil), market: n, as: .book(n: n))
        case .distrusted(let reason):
            if self.changeLeader(of: market, because: reason) { return }
            self.publishDistrust(market, reason)
            guard reason != .resolved else { return }
            if self.warn(
                "Book is not trusted", ["market": "\(market.condition)", "reason": "\(reason.rawValue)"])
            {
                market.isTroubleLogged = true
            }
            self.renew(market, after: reason)
        }
    }

    private func publishDistrust(_ market: CarriedMarket, _ reason: TrustReason) {
        self.count("distrusted_\(reason.rawValue)")
        if market.untrustedSince == nil { market.untrustedSince = .now() }
        let trust = TrustBody(n: .one(market.n), epoch: market.builder.epoch, isTrusted: false, reason: reason)
        self.server.publish(trust, market: market.n)
    }

    /// Asking for a book may show that a line is gone, in the midst of a text: whoever plays the journal reads that text first.
    private func loseLines() {
        guard !self.linesLostMeanwhile.isEmpty else { return }
        let lost = self.linesLostMeanwhile
        self.linesLostMeanwhile = []
        for (index, reason) in lost { self.lineLost(index, reason) }
    }

    func lineLost(_ index: Int, _ reason: TrustReason) {
        guard !self.isReading else { return self.linesLostMeanwhile.append((index, reason)) }
        let connection = self.connections[index]
        self.journal?.note(.dropped(reason), connection: index, at: .now())
        var lost = 0
        for n in connection.markets.sorted() {
            guard let market = self.markets[n] else { continue }
            guard market.connection == index else {
                _ = market.follower?.builder.lineLost(reason)
                continue
            }
            guard case .distrusted = market.builder.lineLost(reason) else { continue }
            if self.changeLeader(of: market, because: reason) { continue }
            lost += 1
            self.publishDistrust(market, reason)
        }
        guard lost > 0 else { return }
        self.logger.warning(
            "Books are not trusted, their line was lost",
            metadata: ["connection": "\(connection.index)", "books": "\(lost)", "reason": "\(reason.rawValue)"])
    }

    // MARK: REST

    /// Looks at books that wait for the end of an operation or for a snapshot.
    func check() {
        let now = Instant.now()
        var stale = 0
        for n in self.markets.keys.sorted() {
            guard let market = self.markets[n] else { continue }
            self.check(market, now: now)
            if market.builder.isTrusted {
                if self.isPollOverdue(market, now: now), self.expirePolled(market) { stale += 1 }
            } else if let since = market.untrustedSince, now - since > Self.snapshotMax {
                self.renew(market)
            }
            self.compareConnections(of: market, now: now)
        }
        self.compareLines(now: now)
        self.arbitrate(now: now)
        self.watchSilence(now: now)
        guard stale > 0 else { return }
        self.logger.warning("Books are not trusted, no poll confirmed them", metadata: ["books": "\(stale)"])
    }

    func check(_ market: CarriedMarket, now: Instant) {
        let effect = market.builder.check(now: now, hasher: &self.hasher)
        guard effect != .unchanged else { return }
        self.recordCheck(of: market, on: market.connection, effect)
        self.publish(effect, of: market)
    }

    /// How long a polled book is believed.
    private var polledAgeMax: Duration {
        max(.seconds(3), self.context.configuration.feed.restPollInterval * Self.pollsTrusted)
    }

    /// A polled book lives by its polls; those of others, or answers in which it is missing, do not count.
    private func isPollOverdue(_ market: CarriedMarket, now: Instant) -> Bool {
        guard market.builder.source == .rest, let polledAt = market.polledAt else { return false }
        return now - polledAt > self.polledAgeMax
    }

    @discardableResult
    func expirePolled(_ market: CarriedMarket) -> Bool {
        guard case .distrusted(let reason) = market.builder.distrust(.restStale) else { return false }
        self.journal?.note(.expired(n: market.n), connection: market.connection, at: .now())
        self.publishDistrust(market, reason)
        return true
    }

    /// What was told wrongly is asked for at once; what is missing comes by itself.
    func renew(_ market: CarriedMarket, after reason: TrustReason) {
        switch reason {
        case .hashMismatch, .crossed, .mirror, .malformed: self.renew(market)
        case .silent, .dropped, .gap, .resolved, .removed, .noSnapshot, .restStale: break
        }
    }

    /// Asks a line that lives for a book anew, and the REST interface too: whichever can be proved first is built on.
    private func renew(_ market: CarriedMarket) {
        let now = Instant.now()
        let connection = self.connections[market.connection]
        guard connection.isLive, market.mayFetch(now: now) else { return }
        market.beginFetch(now: now, random: &self.random)
        connection.refresh(market.tokens)
        guard self.lookups.bookCount < Self.fetchCountMax, self.mayAsk(.book) else { return }
        market.isFetching = true
        self.lookups.bookCount += 1
        self.count("books_fetched")
        let n = market.n
        let (index, line) = (connection.index, connection.lineCount)
        Task(executorPreference: self.loop) { await self.fetchBook(of: n, onLine: line, of: index) }
    }

    /// - Parameters:
    ///   - line: the connection's line as it was; what a new line brings does not follow upon this book.
    ///   - index: of the connection that led.
    private func fetchBook(of n: Int64, onLine line: Int, of index: Int) async {
        guard let market = self.markets[n] else {
            self.lookups.bookCount -= 1
            return
        }
        do throws(VenueBooks.Failure) {
            let (book, duration) = try await self.venue.book(market.builder.market.first.token)
            self.noteAnswer(after: duration)
            // The line may have brought a snapshot meanwhile, or be gone.
            let connection = self.connections[index]
            let isWanted = !market.builder.isTrusted || market.isDoubted
            if isWanted, connection.isLive, connection.lineCount == line,
                market.connection == index, self.markets[market.n] === market
            {
                self.take(book, fetchedFor: market)
            }
        } catch {
            self.count("books_not_fetched")
            self.noteFailure(error)
            self.warn("Cannot fetch a book", ["market": "\(market.condition)", "reason": "\(error)"])
        }
        self.lookups.bookCount -= 1
        market.isFetching = false
        self.endLiars()
    }

    func take(_ book: RESTBook, fetchedFor market: CarriedMarket) {
        self.journal?.note(.fetched(n: market.n, book), connection: market.connection, at: .now())
        guard !self.judge(book, of: market), !market.builder.isTrusted else { return }
        market.follower?.builder.learnTerms(of: book)
        let effect = market.builder.snapshot(
            book, source: .webSocket, received: .now(), now: .now(), hasher: &self.hasher)
        self.publish(effect, of: market)
    }

    /// Polling runs while all connections of any market have been without a line for long.
    func updatePolling() {
        let polls = self.markets.values.contains { self.isBlind($0) }
        guard polls != self.lookups.isPolling else { return }
        self.lookups.isPolling = polls
        if polls {
            self.count("fallbacks")
            self.lookups.isPollFailing = false
            self.logger.warning("WebSocket unavailable, falling back to REST polling")
            self.poll()
        } else if self.connections.contains(where: \.isLive) {
            self.logger.info("WebSocket is back, REST polling ends")
        } else {
            self.logger.info("Nothing is left to poll")
        }
    }

    /// Reads the books of all markets that have no line. One round at a time: a slow venue is not asked the faster.
    func poll() {
        guard self.lookups.isPolling && self.lookups.pollCount == 0 else { return }
        let blind = self.markets.values.filter { self.isBlind($0) }.map(\.n).sorted()
        for start in stride(from: 0, to: blind.count, by: VenueBooks.bookCountMax) {
            let numbers = blind[start..<min(blind.count, start + VenueBooks.bookCountMax)]
            let tokens = numbers.compactMap { self.markets[$0]?.builder.market.first.token }
            let now = Instant.now()
            guard self.mayAsk(.books) else { return }
            self.lookups.pollCount += 1
            Task(executorPreference: self.loop) { await self.poll(tokens, askedAt: now) }
        }
    }

    private func poll(_ tokens: [TokenID], askedAt now: Instant) async {
        do throws(VenueBooks.Failure) {
            let (books, malformed, duration) = try await self.venue.books(tokens)
            self.noteAnswer(after: duration)
            self.takePolled(books, askedAt: now)
            self.count("polled_malformed", Int64(malformed))
            self.notePoll(nil)
        } catch {
            self.count("polls_failed")
            self.noteFailure(error)
            self.notePoll(error)
        }
        self.lookups.pollCount -= 1
    }

    /// Says once that polling fails, and once that it works again.
    private func notePoll(_ failure: VenueBooks.Failure?) {
        guard self.lookups.isPollFailing != (failure != nil) else { return }
        self.lookups.isPollFailing = failure != nil
        if let failure {
            self.logger.warning("REST polling fails", metadata: ["reason": "\(failure)"])
        } else {
            self.logger.info("REST polling works")
        }
    }

    func takePolled(_ books: [RESTBook], askedAt: Instant) {
        // An answer may come so late that what it says is believed no more.
        guard Instant.now() - askedAt <= self.polledAgeMax else {
            self.count("polls_late")
            return
        }
        for book in books {
            guard let market = self.marketsByCondition[book.market], self.isBlind(market),
                market.builder.outcome(of: book.token) == 0
            else { continue }
            // What has not changed needs no new words.
            if market.builder.isTrusted && market.builder.source == .rest && market.builder.hash == book.hash {
                market.polledAt = askedAt
                continue
            }
            if self.take(book, polledFor: market) { market.polledAt = askedAt }
        }
    }

    /// - Returns: whether it is the market's book now.
    @discardableResult
    func take(_ book: RESTBook, polledFor market: CarriedMarket) -> Bool {
        self.journal?.note(.polled(n: market.n, book), connection: market.connection, at: .now())
        // Lines that are gone dispute nothing.
        market.endDispute(now: .now())
        // A line that comes back may be the follower's.
        market.follower?.builder.learnTerms(of: book)
        let effect = market.builder.snapshot(
            book, source: .rest, received: .now(), now: .now(), hasher: &self.hasher)
        self.publish(effect, of: market)
        return effect == .snapshot
    }
}
