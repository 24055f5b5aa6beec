/// One connection of a price stream.
final class PriceSubscriber: SessionConnection {
    private(set) var session: any PriceSession

    init(_ session: any PriceSession, _ service: VenueService) {
        self.session = session
        super.init(service)
    }

    override func opened() { self.service.add(self) }
    override func closed() { self.service.remove(self) }
    override func received(_ frame: ChannelFrame) { self.service.receive(frame, from: self) }
    override var isSilent: Bool { self.service.arePricesSilent }

    /// Lets the session go on to `time`.
    func advance(to time: Int64, _ prices: ReferencePrices) {
        var actions: [ChannelAction] = []
        self.session.advance(to: time, prices, into: &actions)
        self.perform(actions)
    }

    /// Hands the session a frame that came at `time`.
    func receive(_ frame: ChannelFrame, at time: Int64, _ prices: ReferencePrices, accepts: CredentialsCheck) {
        var actions: [ChannelAction] = []
        self.session.receive(frame, at: time, prices, accepts: accepts, into: &actions)
        self.perform(actions)
    }
}
