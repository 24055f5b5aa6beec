import Glibc
import NIOCore
import Shared

/// The venue at work: one event loop, its clock, its subscribers and the faults of their connections.
///
/// Everything here happens on `loop`; the class is not `Sendable`, so the compiler keeps others away.
final class VenueService {
    /// Messages made between two looks at the sockets.
    static let messagesPerTurnMax = 4_096
    /// Traffic that is later than this is given up: the process was stopped, or the rate is above what it can do.
    static let latenessMax: Int64 = 2_000
    /// Books of one frame of the first dump. All levels of so many books stay well under a megabyte.
    static let booksPerFrame = 50
    /// Ids of one connection that get a first book; the venue goes silent above that.
    static let snapshotCountMax = 500

    let loop: any EventLoop
    /// Bytes that may wait for one subscriber before it is cut off.
    let pendingByteCountMax: Int
    /// Whether the market channel is compressed for those who offer it.
    let compresses: Bool
    /// The way in, for the faults that are about it.
    weak var listener: Listener?
    var core: any VenueCore
    var desk: Desk
    private var history: PriceHistory
    let allocator = ByteBufferAllocator()
    private(set) var subscribers: [MarketSubscriber] = []
    var priceSubscribers: [PriceSubscriber] = []
    var userSubscribers: [UserSubscriber] = []
    private var batch = MessageBatch()
    private var turn: Scheduled<Void>?
    private var lastTime: Int64 = 0
    private var resumesAt: Int64?
    var deltaFaults = DeltaFaults()
    var requestFaults = RequestFaults()
    var audit = Audit()
    private var script: ArraySlice<FaultScript.Step>
    /// What the script's times are counted from.
    private var scriptStart: Int64

    // MARK: Faults that last

    var silence: (until: Int64, answersPings: Bool) = (0, false)
    var refusesUpgradesUntil: Int64 = 0
    var booksWithheldUntil: Int64 = 0
    var pricesSilentUntil: Int64 = 0
    var userSilentUntil: Int64 = 0
    var usersRefusedUntil: Int64 = 0
    /// What the book pages show instead of the books.
    var staleListing: (until: Int64, listing: MarketRegister)?
    /// Milliseconds.
    var clockSkew: Int64 = 0

    init(
        _ core: any VenueCore, desk: Desk, on loop: any EventLoop, pendingByteCountMax: Int, compresses: Bool = false,
        script: FaultScript
    ) {
        loop.preconditionInEventLoop()
        self.core = core
        self.desk = desk
        self.history = PriceHistory(at: WallClock.milliseconds)
        self.script = script.steps[...]
        self.scriptStart = WallClock.milliseconds
        self.loop = loop
        self.pendingByteCountMax = pendingByteCountMax
        self.compresses = compresses
        self.scheduleTurn()
    }

    /// Milliseconds UTC, never going back.
    var time: Int64 {
        self.lastTime = max(self.lastTime, WallClock.milliseconds)
        return self.lastTime
    }

    // MARK: Turns

    private func takeTurn() {
        self.turn = nil
        let time = self.time
        self.skipLateTraffic(at: time)
        if time - self.history.nextTime > Self.latenessMax { self.history.skip(to: time) }
        if !self.isHeldUp(at: time) { self.play(to: time) }
        self.scheduleTurn()
    }

    private func skipLateTraffic(at time: Int64) {
        if let next = self.core.nextTime, time - next > Self.latenessMax { self.core.skip(to: time) }
    }

    /// When the script, the end of a pause or a point of the history is next.
    private var nextBoundary: Int64 {
        min(
            self.resumesAt ?? .max, self.isScriptWaiting ? .max : self.nextStepTime ?? .max, self.history.nextTime)
    }

    private var nextStepTime: Int64? { self.script.first.map { self.scriptStart + $0.offset } }

    private var isScriptWaiting: Bool {
        self.audit.subscribeCount == 0 && self.script.first?.order.fault == .awaitSubscription
    }

    /// Lets the venue, its history and the script go on, each step of the script after all that happens before it.
    private func play(to time: Int64) {
        while case let boundary = self.nextBoundary, boundary <= time {
            self.advance(to: boundary)
            // A core that is no faster than its readers has no times to compare.
            guard self.core.waitsForReaders || self.core.nextTime ?? .max > boundary else { return }
            if self.history.nextTime == boundary {
                self.history.sample(self.core.listing)
            } else if self.resumesAt == boundary {
                self.resume(at: boundary)
            } else if let step = self.script.popFirst(), step.order.fault != .awaitSubscription {
                _ = self.perform(step.order, from: .script, at: boundary)
            }
        }
        self.advance(to: time)
    }

    private func advance(to time: Int64) {
        self.startBatch()
        self.core.advance(to: time, messageCountMax: Self.messagesPerTurnMax, into: &self.batch)
        self.advanceDesk(to: time)
        self.publish(at: time)
    }

    func startBatch() { self.batch.clear() }

    /// Has the engine do something now; what it means on the market channel waits to be published.
    func handle(_ request: EngineRequest, at time: Int64) -> [EngineEvent] {
        // Somebody may ask before the first turn after a stop.
        self.skipLateTraffic(at: time)
        return self.core.handle(request, at: time, into: &self.batch)
    }

    /// Sends what happened since the batch was started, as far as faults let it through.
    func publish(at time: Int64) {
        let subscribers = self.subscribers
        self.deltaFaults.spoil(&self.batch, at: time) { entry in
            subscribers.contains { $0.subscriptions.wants(entry) }
        }
        for slot in self.core.takeRemovedSlots() {
            self.deltaFaults.forget(slot: slot)
            for subscriber in self.subscribers {
                subscriber.subscriptions.forget(slot: slot)
                subscriber.deltaFaults.forget(slot: slot)
                if subscriber.lie?.slot == slot { subscriber.lie = nil }
            }
        }
        if !self.isSilent { self.deliver(at: time) }
        self.advancePrices(to: time)
        self.advanceUsers(to: time)
    }

    /// Whether the core wants to be no faster than its readers, and one of them is behind.
    private func isHeldUp(at time: Int64) -> Bool {
        guard self.core.waitsForReaders else { return false }
        var isHeldUp = false
        for subscriber in self.subscribers where subscriber.isBehind {
            if subscriber.hasStalled(at: time) {
                subscriber.cutOff()
            } else {
                isHeldUp = true
            }
        }
        return isHeldUp
    }

    private func scheduleTurn() {
        guard self.turn == nil else { return }
        let times = [
            self.core.nextTime, self.nextBoundary, self.deltaFaults.nextTime, self.deskTime, self.nextPriceTime,
            self.nextUserTime,
        ]
        let own = self.subscribers.map(\.deltaFaults.nextTime)
        guard let next = (times + own).compactMap({ $0 }).min() else { return }
        // Never sooner than in a millisecond: what falls into one leaves in one write.
        let delay = min(max(next - self.time, 1), 60_000)
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        self.turn = self.loop.scheduleTask(in: .milliseconds(delay)) { bound.value.takeTurn() }
    }

    /// Lets everything happen up to now, for somebody who asks.
    func catchUp() {
        self.turn?.cancel()
        self.takeTurn()
    }

    /// Something changed what happens next.
    func reschedule() {
        self.turn?.cancel()
        self.turn = nil
        self.scheduleTurn()
    }

    private func deliver(at time: Int64) {
        let spoilt = self.subscribers.filter { !$0.deltaFaults.isIdle || $0.lie != nil }
        for subscriber in spoilt { self.deliverSpoilt(to: subscriber, at: time) }
        guard !self.batch.isEmpty, self.subscribers.count > spoilt.count else { return }
        var frames = self.allocator.buffer(capacity: self.batch.bytes.count + 10 * self.batch.count)
        var ends: [Int] = []
        ends.reserveCapacity(self.batch.count)
        self.batch.bytes.withUnsafeBytes { bytes in
            for entry in self.batch.entries {
                TextFrame.write(UnsafeRawBufferPointer(rebasing: bytes[entry.range]), to: &frames)
                ends.append(frames.writerIndex)
            }
        }
        for subscriber in self.subscribers where !spoilt.contains(where: { $0 === subscriber }) {
            guard time >= subscriber.silence.until else { continue }
            self.deliver(frames, ends, to: subscriber)
        }
    }

    /// Sends a subscriber its share with the faults of its connection.
    private func deliverSpoilt(to subscriber: MarketSubscriber, at time: Int64) {
        var batch = self.batch
        subscriber.deltaFaults.spoil(&batch, at: time) { subscriber.subscriptions.wants($0) }
        guard time >= subscriber.silence.until else { return }
        batch = self.lie(in: batch, to: subscriber, at: time)
        for entry in batch.entries where subscriber.subscriptions.wants(entry) {
            self.write(Array(batch.bytes[entry.range]), to: subscriber)
        }
    }

    /// Sends a subscriber its share of `frames`; neighbours leave as one slice.
    private func deliver(_ frames: ByteBuffer, _ ends: [Int], to subscriber: MarketSubscriber) {
        var own: ByteBuffer?
        var runStart = 0
        var runEnd = 0
        func close() {
            guard runEnd > runStart, let slice = frames.getSlice(at: runStart, length: runEnd - runStart) else {
                return
            }
            if own == nil {
                own = slice
            } else {
                own!.writeImmutableBuffer(slice)
            }
        }
        var start = 0
        for (index, entry) in self.batch.entries.enumerated() {
            if subscriber.subscriptions.wants(entry) {
                if runEnd != start {
                    close()
                    runStart = start
                }
                runEnd = ends[index]
            }
            start = ends[index]
        }
        close()
        if let own { subscriber.send(own, at: self.lastTime) }
    }

    // MARK: Subscribers

    func add(_ subscriber: MarketSubscriber) {
        self.subscribers.append(subscriber)
        self.audit.openedCount += 1
    }
    func remove(_ subscriber: MarketSubscriber) { self.subscribers.removeAll { $0 === subscriber } }

    /// Whether upgrades to the market channel are refused for now.
    var refusesUpgrades: Bool { self.time < self.refusesUpgradesUntil }
    private var isSilent: Bool { self.time < self.silence.until }

    func answersPings(of subscriber: MarketSubscriber) -> Bool {
        (!self.isSilent || self.silence.answersPings)
            && (self.time >= subscriber.silence.until || subscriber.silence.answersPings)
    }

    /// A text from a subscriber.
    func receive(_ text: [UInt8], from subscriber: MarketSubscriber) {
        switch SubscriberMessage(parsing: text) {
        case .ping:
            self.audit.pingCount += 1
            if self.answersPings(of: subscriber) { self.write(Array("PONG".utf8), to: subscriber) }
        case .invalid:
            self.audit.invalidCount += 1
            self.send(Array("INVALID OPERATION".utf8), to: subscriber)
        case .unsubscribe(let tokens):
            self.audit.unsubscribeCount += 1
            for token in tokens {
                guard let place = self.core.listing.place(of: token) else { continue }
                subscriber.subscriptions.remove(place)
            }
        case .subscribe(let tokens, let wantsFeatures, let wantsDump):
            if self.isScriptWaiting, let stepTime = self.nextStepTime {
                self.scriptStart += max(0, self.time - stepTime)
            }
            self.audit.subscribeCount += 1
            self.subscribe(subscriber, to: tokens, wantsFeatures: wantsFeatures, wantsDump: wantsDump)
        }
    }

    private func subscribe(
        _ subscriber: MarketSubscriber, to tokens: [TokenID], wantsFeatures: Bool, wantsDump: Bool
    ) {
        var fresh: [MarketRegister.TokenPlace] = []
        for token in tokens {
            guard let place = self.core.listing.place(of: token) else { continue }
            guard subscriber.subscriptions.add(place, wantsFeatures: wantsFeatures) else { continue }
            // Above so many ids the venue accepts the subscription but sends no first book.
            let listed = self.core.listing[place.slot]
            guard subscriber.subscriptions.count <= Self.snapshotCountMax, self.time >= self.booksWithheldUntil else {
                continue
            }
            if listed.isBookServed { fresh.append(place) }
        }
        if wantsDump { self.sendDump(of: fresh, to: subscriber) }
        for place in Set(tokens.compactMap { self.core.listing.place(of: $0)?.slot }).sorted() {
            self.core.noteSubscription(slot: place, at: self.time)
        }
        self.reschedule()
    }

    private func sendDump(of places: [MarketRegister.TokenPlace], to subscriber: MarketSubscriber) {
        guard !places.isEmpty else { return self.send(Array("[]".utf8), to: subscriber) }
        for start in stride(from: 0, to: places.count, by: Self.booksPerFrame) {
            var writer = JSONWriter(capacity: 65_536)
            writer.array {
                for place in places[start..<min(places.count, start + Self.booksPerFrame)] {
                    MarketMessages.book(
                        self.shown(place.slot, to: subscriber, at: self.time), outcome: place.outcome,
                        isAfterTrade: false, to: &$0)
                }
            }
            self.send(writer.bytes, to: subscriber)
        }
    }

    private func send(_ text: [UInt8], to subscriber: MarketSubscriber) {
        if !self.isSilent && self.time >= subscriber.silence.until { self.write(text, to: subscriber) }
    }

    private func write(_ text: [UInt8], to subscriber: MarketSubscriber) {
        var frame = self.allocator.buffer(capacity: text.count + 10)
        text.withUnsafeBytes { TextFrame.write($0, to: &frame) }
        subscriber.send(frame, at: self.lastTime)
    }

    // MARK: Requests

    /// What becomes of a request.
    enum Reply: Sendable {
        /// Milliseconds until it leaves.
        case answer(Answer, delay: Int64)
        /// The connection ends.
        case lost
    }

    /// Pages of ours, which the venue does not have: no fault touches them.
    private static let ownPages = ["control", "audit", "truth"]
    /// Pages that show books, or what they come down to.
    private static let bookPages = ["book", "books", "price", "prices", "midpoint", "midpoints", "spread", "spreads"]

    func reply(to request: PageRequest) -> Reply {
        let isOwn = request.path.first.map { Self.ownPages.contains($0) } ?? false
        var refusal: Answer?
        var delay: Int64 = 0
        var isLost = false
        for fault in isOwn ? [] : self.requestFaults.take(request.path) {
            switch fault {
            case .status(let status, let retryAfter):
                refusal = .error(status, "refused, as asked for at /control")
                refusal?.retryAfter = retryAfter
            case .slow(let milliseconds): delay = milliseconds
            case .lost: isLost = true
            }
        }
        let answer = refusal ?? self.answer(request)
        self.audit.note(request, status: isLost ? nil : answer.status)
        return isLost ? .lost : .answer(answer, delay: delay)
    }

    private func answer(_ request: PageRequest) -> Answer {
        let time = self.time
        switch (request.method, request.path) {
        case ("POST", ["control"]): return self.control(request.body, at: time)
        case ("GET", ["audit"]):
            let idCount = self.subscribers.reduce(0) { $0 + $1.subscriptions.count }
            return self.audit.answer(
                at: time, connectionCount: self.subscribers.count, idCount: idCount,
                pricesCount: self.priceSubscribers.count, userCount: self.userSubscribers.count, desk: self.desk)
        case (_, ["ws", "market"]):
            return self.refusesUpgrades
                ? .error(503, "the market channel refuses connections for now")
                : .error(426, "this is the market channel: ask for an upgrade to WebSocket")
        case (_, ["ws", "user"]):
            return self.takesUpgrade(to: .user)
                ? .error(426, "this is the user channel: ask for an upgrade to WebSocket")
                : .error(503, "the user channel refuses connections for now")
        default: break
        }
        let shownTime = time + self.clockSkew
        if let stale = self.staleListing, time < stale.until,
            request.path.first.map({ Self.bookPages.contains($0) }) == true
        {
            return ClobPages.answer(request, stale.listing, time: shownTime) ?? .unknownPath
        }
        return self.answerTrader(request, at: time) ?? TruthPages.answer(request, self.core.listing, time: time)
            ?? ClobPages.answer(request, self.core.listing, time: shownTime)
            ?? HistoryPages.answer(request, self.core.listing, self.history, time: shownTime)
            ?? GammaPages.answer(request, self.core.listing) ?? .unknownPath
    }

    // MARK: Pauses

    func pause(seconds: Int64?, at time: Int64) {
        if !self.core.isPaused { self.core.pause(at: time) }
        self.resumesAt = seconds.map { time + $0 * 1_000 }
    }

    func resume(at time: Int64) {
        self.resumesAt = nil
        if self.core.isPaused { self.core.resume(at: time) }
    }
}

/// The clock on the wall.
enum WallClock {
    static var milliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}

/// Text frames of a server: whole, unmasked. Source: RFC 6455, 5.2.
enum TextFrame {
    static func write(_ payload: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x81 as UInt8)
        switch payload.count {
        case 0..<126: buffer.writeInteger(UInt8(payload.count))
        case 126..<65_536:
            buffer.writeInteger(126 as UInt8)
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(127 as UInt8)
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeBytes(payload)
    }
}
