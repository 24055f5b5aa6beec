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

    /// When it is to be sent away for want of credentials; `nil` when it has shown some, or is leaving.
    var deadline: Int64? { self.session.apiKey == nil && !self.isClosing ? self.session.deadline : nil }

    /// Sends away who has not said in time who it is, and whose key was revoked.
    func advance(to time: Int64) {
        let isKnown = self.session.apiKey.map { self.service.isLive($0) } ?? (time < self.session.deadline)
        if !isKnown { self.close(code: UserSession.unauthorized) }
    }

    /// Tells those of `messages` that it wants.
    func tell(_ messages: [UserMessage]) {
        self.perform(messages.filter { self.session.wants($0) }.map { .send($0.text) })
    }
}
