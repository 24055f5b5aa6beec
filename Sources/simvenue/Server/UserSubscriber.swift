/// One connection of the user channel.
final class UserSubscriber: SessionConnection {
    private(set) var session: UserSession

    override init(_ service: VenueService) {
        self.session = UserSession(openedAt: service.time)
        super.init(service)
    }

    override func opened() { self.service.add(self) }
    override func closed() { self.service.remove(self) }
    override var isSilent: Bool { self.service.isUserChannelSilent }

    override func received(_ frame: ChannelFrame) {
        guard case .text(let text) = frame else { return }
        self.perform(self.session.receive(text) { self.service.signer($0) })
    }

    /// Sends away who has not said in time who it is.
    func advance(to time: Int64) {
        if self.session.signer == nil && time >= self.session.deadline { self.close(code: UserSession.unauthorized) }
    }

    /// Tells those of `messages` that it wants.
    func tell(_ messages: [UserMessage]) {
        self.perform(messages.filter { self.session.wants($0) }.map { .send($0.text) })
    }
}
