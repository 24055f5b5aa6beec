import NIOCore
import Shared

/// Where an upgrade to WebSocket leads.
enum ChannelTarget: Hashable, Sendable {
    case market
    case user
    case polyBolt
    case binance(BinanceTarget)

    /// - Returns: `nil` for a path without a channel.
    init?(uri: String) {
        guard let request = PageRequest(method: "GET", target: uri) else { return nil }
        switch request.path {
        case ["ws", "market"]: self = .market
        case ["ws", "user"]: self = .user
        case ["prices"], ["ws"]: self = .polyBolt
        default:
            guard let target = BinanceTarget(request) else { return nil }
            self = .binance(target)
        }
    }
}

/// The price streams at work.
extension VenueService {
    func add(_ subscriber: PriceSubscriber) {
        self.priceSubscribers.append(subscriber)
        self.audit.pricesOpenedCount += 1
        self.reschedule()
    }
    func remove(_ subscriber: PriceSubscriber) { self.priceSubscribers.removeAll { $0 === subscriber } }

    /// A session for a new connection; `nil` where there are no prices.
    func priceSession(_ target: ChannelTarget) -> (any PriceSession)? {
        guard self.core.referencePrices != nil else { return nil }
        switch target {
        case .market, .user: return nil
        case .polyBolt: return PolyBoltSession(openedAt: self.time)
        case .binance(let target): return BinanceSession(target, openedAt: self.time)
        }
    }

    /// Whether `target` can be upgraded to now.
    func takesUpgrade(to target: ChannelTarget) -> Bool {
        switch target {
        case .market: !self.refusesUpgrades
        case .user: self.core.engine != nil && self.time >= self.usersRefusedUntil
        case .polyBolt, .binance: self.core.referencePrices != nil
        }
    }

    var arePricesSilent: Bool { self.time < self.pricesSilentUntil }

    /// When a stream has something to say next.
    var nextPriceTime: Int64? { self.priceSubscribers.map(\.session.nextTime).min() }

    /// Lets the streams tell what happened up to `time`. The core has been told of that time.
    func advancePrices(to time: Int64) {
        guard !self.priceSubscribers.isEmpty, let prices = self.core.referencePrices else { return }
        let known = min(time, prices.walkedTo + LatentPrice.step - 1)
        for subscriber in self.priceSubscribers { subscriber.advance(to: known, prices) }
    }

    func receive(_ frame: ChannelFrame, from subscriber: PriceSubscriber) {
        self.catchUp()
        guard let prices = self.core.referencePrices else { return }
        let known = min(self.time, prices.walkedTo + LatentPrice.step - 1)
        subscriber.receive(frame, at: known, prices, accepts: { self.signer($0) != nil })
        self.reschedule()
    }
}
