import Shared
import Signing

/// The user channel at work.
extension VenueService {
    func add(_ subscriber: UserSubscriber) {
        self.userSubscribers.append(subscriber)
        self.audit.userOpenedCount += 1
        self.reschedule()
    }
    func remove(_ subscriber: UserSubscriber) { self.userSubscribers.removeAll { $0 === subscriber } }

    var isUserChannelSilent: Bool { self.time < self.userSilentUntil }

    /// Whose credentials these are; `nil` when they are wrong.
    func signer(_ credentials: ChannelCredentials) -> Address? {
        self.desk.credential(
            apiKey: credentials.apiKey, secret: credentials.secret, passphrase: credentials.passphrase)
    }

    /// Whether an API key was not revoked.
    func isLive(_ apiKey: String) -> Bool { self.desk.keys[apiKey] != nil }

    /// When a stranger is to be sent away.
    var nextUserTime: Int64? { self.userSubscribers.compactMap(\.deadline).min() }

    func advanceUsers(to time: Int64) {
        for subscriber in self.userSubscribers { subscriber.advance(to: time) }
    }

    /// Has the desk and the user channel hear of what happened to the desk's accounts.
    func noteAccountEvents() {
        let events = self.core.takeAccountEvents()
        guard !events.isEmpty, let engine = self.core.engine else { return }
        self.desk.note(events)
        guard !self.userSubscribers.isEmpty else { return }
        let messages = events.flatMap { UserMessages.messages(of: $0, self.desk, engine) }
        for subscriber in self.userSubscribers { subscriber.tell(messages) }
    }
}
