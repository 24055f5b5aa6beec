import DaemonKit
import Logging
import Shared

/// From the venue's texts to published books.
extension FeedService {
    /// A book that stays untrusted for this long on a live line is fetched.
    private static let snapshotMax = Duration.seconds(2)
    private static let fetchPause = Duration.milliseconds(500)
    /// Books fetched at a time.
    private static let fetchCountMax = 8
    /// A polled book is believed for so many polls, and never less than three seconds.
    private static let pollsTrusted = 3

    // MARK: Texts

    func take(_ text: UnsafeBufferPointer<UInt8>, on connection: Int) {
        let received = Timestamp.now()
        let now = Instant.now()
        self.messageCount += 1
        do throws(JSONError) {
            switch try self.reader.read(text, { self.take($0, received: received, now: now) }) {
            case .events, .pong: break
            case .notice(let notice):
                self.count("notices")
                self.logger.warning("The venue sent a notice", metadata: ["text": "\(notice)"])
            }
        } catch {
            // Nobody knows which book that text was about: all of this line begin anew.
            self.count("texts_malformed")
            self.logger.error(
                "The venue sent a text that cannot be read",
                metadata: ["connection": "\(connection)", "reason": "\(error)"])
            self.lineLost(connection, .malformed)
            self.connections[connection].restart()
        }
        self.publishLatency.record((Instant.now() - now).nanoseconds / 1_000)
    }

    private func take(_ event: borrowing MarketEvent, received: Timestamp, now: Instant) {
        switch event.kind {
        case .unknown, .bestBidAsk, .newMarket:
            self.count("events_\(event.kind.rawValue)")
            return
        case .book, .priceChange, .lastTradePrice, .tickSizeChange, .marketResolved: break
        }
        if event.timestamp > 0 { self.venueLatency.record(received.microseconds - event.timestamp * 1_000) }
        guard let n = self.number(event), self.builders[Int(n) - 1] != nil else {
            self.count("events_of_other_markets")
            return
        }
        let index = Int(n) - 1
        switch event.kind {
        case .priceChange:
            let effect = self.builders[index]!.change(event, received: received, now: now, hasher: &self.hasher)
            self.publish(effect, of: index)
        case .book:
            guard let outcome = event.token.flatMap({ self.builders[index]!.outcome(of: $0) }) else { return }
            let effect = self.builders[index]!.snapshot(
                event, outcome: outcome, received: received, now: now, hasher: &self.hasher)
            self.publish(effect, of: index)
        case .lastTradePrice:
            guard let trade = self.builders[index]!.trade(event, received: received) else { return }
            self.count("trades")
            self.server.publish(trade, market: n, as: .trade(n: n, received: received))
        case .tickSizeChange:
            guard let change = self.builders[index]!.changeTick(event) else { return }
            self.logger.info(
                "Tick size changed",
                metadata: ["market": "\(self.builders[index]!.market.condition)", "tick": "\(change.new)"])
            self.server.publish(change, market: n)
            self.publish(self.builders[index]!.distrust(.noSnapshot), of: index)
        case .marketResolved: self.resolve(event, index: index)
        case .unknown, .bestBidAsk, .newMarket: break
        }
    }

    private func number(_ event: borrowing MarketEvent) -> Int64? {
        if let market = event.market { return self.numbers[market] }
        return event.token.flatMap { self.numbersByToken[$0] }
    }

    private func resolve(_ event: borrowing MarketEvent, index: Int) {
        guard let builder = self.builders[index] else { return }
        let winner = event.token.flatMap { builder.outcome(of: $0) }.map(Int64.init)
        self.logger.info(
            "Market resolved",
            metadata: ["market": "\(builder.market.condition)", "winner": "\(winner.map(String.init) ?? "none")"])
        let body = ResolvedBody(n: builder.n, winner: winner, venueTime: Timestamp(milliseconds: event.timestamp))
        self.server.publish(body, market: builder.n)
        self.publish(self.builders[index]!.distrust(.resolved), of: index)
    }

    /// Tells the subscribers what a message did to a book.
    private func publish(_ effect: BookBuilder.Effect, of index: Int) {
        let n = Int64(index + 1)
        switch effect {
        case .unchanged: break
        case .delta: self.server.publish(self.builders[index]!.delta, market: n, as: .book(n: n))
        case .snapshot:
            if self.lookups.untrustedSince.removeValue(forKey: n) != nil && self.builders[index]!.epoch > 1 {
                self.logger.info(
                    "Book is trusted again", metadata: ["market": "\(self.builders[index]!.market.condition)"])
            }
            self.server.publish(self.builders[index]!.body(conflated: nil), market: n, as: .book(n: n))
        case .distrusted(let reason):
            self.count("distrusted_\(reason.rawValue)")
            if self.lookups.untrustedSince[n] == nil { self.lookups.untrustedSince[n] = .now() }
            let builder = self.builders[index]!
            self.server.publish(
                TrustBody(n: .one(n), epoch: builder.epoch, isTrusted: false, reason: reason), market: n)
            self.logger.warning(
                "Book is not trusted",
                metadata: ["market": "\(builder.market.condition)", "reason": "\(reason.rawValue)"])
            if reason == .hashMismatch || reason == .crossed { self.fetch(index) }
        }
    }

    func lineLost(_ index: Int, _ reason: TrustReason) {
        let connection = self.connections[index]
        for n in connection.markets.sorted() where self.builders[Int(n) - 1] != nil {
            guard self.builders[Int(n) - 1]!.trust != .untrusted(.resolved) else { continue }
            let effect = self.builders[Int(n) - 1]!.lineLost(reason)
            guard case .distrusted = effect else { continue }
            self.count("distrusted_\(reason.rawValue)")
            if self.lookups.untrustedSince[n] == nil { self.lookups.untrustedSince[n] = .now() }
            let epoch = self.builders[Int(n) - 1]!.epoch
            self.server.publish(TrustBody(n: .one(n), epoch: epoch, isTrusted: false, reason: reason), market: n)
        }
        self.logger.warning(
            "Books are not trusted, their line was lost",
            metadata: [
                "connection": "\(connection.index)", "books": "\(connection.markets.count)",
                "reason": "\(reason.rawValue)",
            ])
    }

    // MARK: REST

    /// Looks at books that wait for the end of an operation or for a snapshot.
    func check() {
        let now = Instant.now()
        for index in self.builders.indices where self.builders[index] != nil {
            self.publish(self.builders[index]!.check(now: now, hasher: &self.hasher), of: index)
            guard let builder = self.builders[index] else { continue }
            if builder.isTrusted {
                self.expirePolled(index, now: now)
            } else if let since = self.lookups.untrustedSince[builder.n], now - since > Self.snapshotMax {
                self.fetch(index)
            }
        }
        if self.subscriptions.values.contains(where: { if case .only = $0.markets { true } else { false } }) {
            self.reconcile()
        }
    }

    private func expirePolled(_ index: Int, now: Instant) {
        guard self.builders[index]?.source == .rest, let lastPoll = self.lookups.lastPoll else { return }
        let interval = self.context.configuration.feed.restPollInterval
        guard now - lastPoll > max(.seconds(3), interval * Self.pollsTrusted) else { return }
        self.publish(self.builders[index]!.distrust(.restStale), of: index)
    }

    /// Fetches one book to build on, while its line lives.
    private func fetch(_ index: Int) {
        guard let builder = self.builders[index], let connection = self.connectionOf[builder.n],
            self.connections[connection].isLive, builder.trust != .untrusted(.resolved)
        else { return }
        let n = builder.n
        let now = Instant.now()
        guard !self.lookups.books.contains(n), self.lookups.books.count < Self.fetchCountMax,
            self.lookups.bookAllowedAt[n].map({ now >= $0 }) ?? true, self.breaker.allows(now: now)
        else { return }
        self.lookups.books.insert(n)
        self.lookups.bookAllowedAt[n] = now + Self.fetchPause
        self.count("books_fetched")
        Task {
            do throws(VenueBooks.Failure) {
                let book = try await self.venue.book(builder.market.first.token)
                self.breaker.succeeded()
                // The line may have brought a snapshot meanwhile, or be gone.
                if self.builders[index]?.isTrusted == false, self.connections[connection].isLive {
                    let effect = self.builders[index]!.snapshot(
                        book, source: .webSocket, received: .now(), now: .now(), hasher: &self.hasher)
                    self.publish(effect, of: index)
                }
            } catch {
                self.count("books_not_fetched")
                self.noteFailure(error)
                self.logger.warning(
                    "Cannot fetch a book", metadata: ["market": "\(builder.market.condition)", "reason": "\(error)"])
            }
            self.lookups.books.remove(n)
        }
    }

    /// The REST interface is left alone for a while when it keeps failing.
    private func noteFailure(_ failure: VenueBooks.Failure) {
        guard failure.isOfTheVenue else { return }
        let wasOpen = self.breaker.isOpen
        self.breaker.failed(now: .now())
        guard self.breaker.isOpen && !wasOpen else { return }
        self.count("breaker_opened")
        self.logger.warning(
            "The REST interface keeps failing and is left alone for a while",
            metadata: [
                "reason": "\(failure)", "seconds": "\(self.context.configuration.feed.breakerTimeout.inSeconds)",
            ])
    }

    /// Polling runs while any connection has been without a line for long.
    func updatePolling() {
        let polls = self.connections.contains { $0.feed.isPolling }
        guard polls != self.lookups.isPolling else { return }
        self.lookups.isPolling = polls
        if polls {
            self.count("fallbacks")
            self.logger.warning("WebSocket unavailable, falling back to REST polling")
            self.poll()
        } else {
            self.logger.info("WebSocket is back, REST polling ends")
        }
    }

    /// Reads the books of all markets that have no line.
    func poll() {
        guard self.lookups.isPolling else { return }
        let blind = self.connections.filter { $0.feed.isPolling }.flatMap { $0.markets.sorted() }
        for start in stride(from: 0, to: blind.count, by: VenueBooks.bookCountMax) {
            let numbers = blind[start..<min(blind.count, start + VenueBooks.bookCountMax)]
            let tokens = numbers.compactMap { self.builders[Int($0) - 1]?.market.first.token }
            guard self.breaker.allows(now: .now()) else { return }
            Task {
                do throws(VenueBooks.Failure) {
                    let (books, malformed) = try await self.venue.books(tokens)
                    self.breaker.succeeded()
                    self.takePolled(books)
                    self.count("polled_malformed", Int64(malformed))
                } catch {
                    self.count("polls_failed")
                    self.noteFailure(error)
                    self.logger.debug("Cannot poll books", metadata: ["reason": "\(error)"])
                }
            }
        }
    }

    private func takePolled(_ books: [RESTBook]) {
        self.lookups.lastPoll = .now()
        for book in books {
            guard let n = self.numbers[book.market], let index = self.connectionOf[n],
                self.connections[index].feed.isPolling,
                let builder = self.builders[Int(n) - 1], builder.trust != .untrusted(.resolved)
            else { continue }
            // What has not changed needs no new words.
            if builder.isTrusted && builder.source == .rest && builder.hash == book.hash { continue }
            let effect = self.builders[Int(n) - 1]!.snapshot(
                book, source: .rest, received: .now(), now: .now(), hasher: &self.hasher)
            self.publish(effect, of: Int(n) - 1)
        }
    }
}
