import DaemonKit
import Shared

/// The real venue, as the engine sees it: an `OrderDesk` between the engine and whoever performs its requests. Confined to the
/// daemon's loop.
final class LiveOrders: OrderVenue {
    /// Why nothing may leave before the desk is open; the checks before live trading set it.
    var closedReason = "live trading was not checked yet"
    /// Whether the user channel is open; without it fills would be heard of late.
    var isHearing: () -> Bool = { false }

    /// When the venue took the last heartbeat; without a late one it is about to cancel everything.
    var lastBeat: Instant?
    static let beatAgeMax = Duration.seconds(8)

    /// When the account's balance was read last: a ledger that nobody compares with the venue may be wrong.
    var balanceReadAt: Instant?
    static let balanceAgeMax = Duration.seconds(180)

    private var desk: OrderDesk?
    private let ask: (OrderDesk.Request) -> Void
    private let tell: (OrderDesk.Note) -> Void
    private var events: [VenueEvent] = []
    private var hasWork = false

    /// - Parameters:
    ///   - ask: performs a request; its answer comes by `take`.
    ///   - tell: tells the log.
    init(ask: @escaping (OrderDesk.Request) -> Void, tell: @escaping (OrderDesk.Note) -> Void) {
        self.ask = ask
        self.tell = tell
    }

    func open(_ desk: OrderDesk) {
        self.desk = desk
        self.hasWork = true
    }

    func take(_ answer: OrderDesk.Answer, now: Moment) {
        self.desk?.take(answer, now: now)
        self.hasWork = true
    }

    /// Asks the venue for all that is open, and for the trades of late.
    func reconcile(now: Moment) {
        self.desk?.reconcile(now: now)
        self.hasWork = true
    }

    /// Whether orders and trades were asked for since, and read.
    func hasRead(since time: Instant) -> Bool {
        guard let desk = self.desk, let orders = desk.ordersReadAt, let trades = desk.tradesReadAt else { return false }
        return min(orders, trades) >= time
    }

    // MARK: OrderVenue

    func submit(_ order: ApprovedOrder, now: Moment) {
        self.hasWork = true
        guard self.desk == nil else {
            self.desk?.submit(order)
            return
        }
        self.events.append(
            VenueEvent(order: order.id, kind: .withheld(reason: self.closedReason), time: now.time))
    }

    func cancel(_ order: OrderID, now: Moment) {
        self.hasWork = true
        self.desk?.cancel(order, now: now)
    }

    func hear(_ event: FeedEvent, _ views: MarketViews, now: Moment) {}

    func advance(_ views: MarketViews, now: Moment) -> [VenueEvent] {
        self.hasWork = false
        for output in self.desk?.advance(now: now) ?? [] {
            switch output {
            case .ask(let request): self.ask(request)
            case .tell(let event): self.events.append(event)
            case .note(let note): self.tell(note)
            }
        }
        defer { self.events.removeAll() }
        return self.events
    }

    var nextWake: Instant? { self.hasWork ? .now() : self.desk?.nextWake }

    func closedReason(now: Moment) -> Refusal? {
        guard let desk = self.desk else { return Refusal(.venueClosed, self.closedReason) }
        if let reason = desk.closedReason(now: now.instant) { return Refusal(.venueClosed, reason) }
        guard let read = self.balanceReadAt, now.instant - read <= Self.balanceAgeMax else {
            return Refusal(
                .venueClosed, "the account's balance could not be read for \(Self.balanceAgeMax.components.seconds) s")
        }
        guard let beat = self.lastBeat, now.instant - beat <= Self.beatAgeMax else {
            return Refusal(.venueClosed, "the venue took no heartbeat for \(Self.beatAgeMax.components.seconds) s")
        }
        return self.isHearing() ? nil : Refusal(.userChannelBlind, "the venue's user channel is not open")
    }
}
