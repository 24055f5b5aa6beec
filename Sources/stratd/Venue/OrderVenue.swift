import Shared

/// Where approved orders go, on paper or live. Belongs to the daemon's loop. What it has to say is fetched by `advance`.
protocol OrderVenue: AnyObject {
    func submit(_ order: ApprovedOrder, now: Moment)
    func cancel(_ order: OrderID, now: Moment)
    /// The feed said something; `views` has it already. `advance` is called before and after.
    func hear(_ event: FeedEvent, _ views: MarketViews, now: Moment)
    /// Does everything that is due, and returns what the venue has said of our orders.
    func advance(_ views: MarketViews, now: Moment) -> [VenueEvent]
    /// When `advance` must be called next.
    var nextWake: Instant? { get }
    /// Why no order can leave at all; `nil` when one can.
    func closedReason(now: Moment) -> Refusal?
}

/// The paper venue, kept between calls.
final class PaperOrders: OrderVenue {
    private var venue: PaperVenue

    init(_ settings: PaperVenue.Settings, account: OrderLedger) {
        self.venue = PaperVenue(settings, account: account)
    }

    /// What else could have been filled.
    var bounds: PaperBounds { self.venue.bounds }

    func submit(_ order: ApprovedOrder, now: Moment) { self.venue.submit(order, now: now) }
    func cancel(_ order: OrderID, now: Moment) { self.venue.cancel(order, now: now) }
    func hear(_ event: FeedEvent, _ views: MarketViews, now: Moment) { self.venue.handle(event, views, now: now) }
    func advance(_ views: MarketViews, now: Moment) -> [VenueEvent] { self.venue.advance(views, now: now) }
    var nextWake: Instant? { self.venue.nextWake }
    func closedReason(now: Moment) -> Refusal? { nil }
}
