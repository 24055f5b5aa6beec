import Shared

/// One connection of PolyBolt. Source: reference, 3.4; what it leaves open (which errors end a connection) is chosen here.
struct PolyBoltSession: PriceSession {
    static let subscriptionCountMax = 64
    /// Frames that subscribe or unsubscribe, a second.
    static let subscribeRateMax: Int64 = 20
    static let frameByteCountMax = 64 << 10
    static let authCountMax = 8
    /// Longest request id that is repeated.
    static let requestIDByteCountMax = 128
    static let pingInterval: Int64 = 25_000
    static let pongMax: Int64 = 60_000

    enum CloseCode {
        static let auth: UInt16 = 4_001
        static let slow: UInt16 = 4_002
        static let policy: UInt16 = 4_008
    }

    private var isAuthed = false
    private var authCount = 0
    private var subscribes: TokenBucket
    /// In the order in which they were asked for, with the number of the latest message.
    private var subscriptions: [(topic: PolyBoltTopic, sequence: Int64)] = []
    /// The latest second that was told.
    private var toldSecond: Int64
    private var keepAlive: KeepAlive
    private var isClosed = false

    /// - Parameter time: milliseconds UTC.
    init(openedAt time: Int64) {
        self.subscribes = TokenBucket(
            rate: Self.subscribeRateMax, burst: Self.subscribeRateMax, now: Instant(nanoseconds: time * 1_000_000))
        self.toldSecond = (time - PolyBoltMessages.delay) / 1_000
        self.keepAlive = KeepAlive(interval: Self.pingInterval, silenceMax: Self.pongMax, openedAt: time)
    }

    // MARK: Time

    private var nextObservation: Int64 {
        self.subscriptions.isEmpty ? .max : (self.toldSecond + 1) * 1_000 + PolyBoltMessages.delay
    }

    var nextTime: Int64 { self.isClosed ? .max : min(self.nextObservation, self.keepAlive.nextTime) }

    mutating func advance(to time: Int64, _ prices: ReferencePrices, into actions: inout [ChannelAction]) {
        // Nobody is told what was before the first subscription; the snapshot has it.
        if self.subscriptions.isEmpty {
            self.toldSecond = max(self.toldSecond, (time - PolyBoltMessages.delay) / 1_000)
        }
        while self.nextTime <= time {
            guard self.nextObservation > self.keepAlive.nextTime else {
                self.toldSecond += 1
                self.tell(prices, into: &actions)
                continue
            }
            guard self.keepAlive.act(at: self.keepAlive.nextTime, into: &actions) else {
                return self.close(Self.CloseCode.slow, into: &actions)
            }
        }
    }

    private mutating func tell(_ prices: ReferencePrices, into actions: inout [ChannelAction]) {
        for index in self.subscriptions.indices {
            let topic = self.subscriptions[index].topic
            self.subscriptions[index].sequence += 1
            guard let price = topic.price(prices, at: self.toldSecond) else { continue }
            actions.append(
                PolyBoltMessages.update(
                    topic, price, second: self.toldSecond, sequence: self.subscriptions[index].sequence))
        }
    }

    private mutating func close(_ code: UInt16, into actions: inout [ChannelAction]) {
        self.isClosed = true
        actions.append(.close(code: code))
    }

    // MARK: Requests

    mutating func receive(
        _ frame: ChannelFrame, at time: Int64, _ prices: ReferencePrices, accepts: CredentialsCheck,
        into actions: inout [ChannelAction]
    ) {
        self.advance(to: time, prices, into: &actions)
        guard !self.isClosed else { return }
        switch frame {
        case .ping: break
        case .pong: self.keepAlive.notePong(at: time)
        case .text(let text):
            guard text.count <= Self.frameByteCountMax else {
                return self.close(Self.CloseCode.policy, into: &actions)
            }
            self.receive(text, at: time, prices, accepts: accepts, into: &actions)
        }
    }

    private mutating func receive(
        _ text: [UInt8], at time: Int64, _ prices: ReferencePrices, accepts: CredentialsCheck,
        into actions: inout [ChannelAction]
    ) {
        let request = (try? JSONValue(parsing: text)) ?? .null
        let rid = request["rid"]?.string.flatMap { $0.utf8.count <= Self.requestIDByteCountMax ? $0 : nil }
        switch request["op"]?.string {
        case "ping": actions.append(PolyBoltMessages.answer("pong", rid: rid))
        case "auth": self.authenticate(request["auth"], rid, accepts, into: &actions)
        case "subscribe", "unsubscribe":
            guard self.isAuthed else { return actions.append(PolyBoltMessages.error(.authRequired, rid: rid)) }
            guard self.subscribes.take(now: Instant(nanoseconds: time * 1_000_000)) else {
                return actions.append(PolyBoltMessages.error(.rateLimited, rid: rid))
            }
            guard let wanted = request["subscriptions"]?.array, !wanted.isEmpty else {
                return actions.append(PolyBoltMessages.error(.badOperation, rid: rid))
            }
            // There are fewer topics than that, so only one frame can ask for too many.
            guard wanted.count <= Self.subscriptionCountMax else {
                return actions.append(PolyBoltMessages.error(.tooManySubscriptions, rid: rid))
            }
            for value in wanted {
                do throws(PolyBoltError) {
                    let topic = try PolyBoltTopic(value)
                    self.subscriptions.removeAll { $0.topic == topic }
                    if request["op"]?.string == "subscribe" {
                        self.subscribe(topic, rid, at: time, prices, into: &actions)
                    } else {
                        actions.append(
                            PolyBoltMessages.answer("unsubscribed", rid: rid, channel: topic.channel.rawValue))
                    }
                } catch {
                    actions.append(PolyBoltMessages.error(error, rid: rid))
                }
            }
        default: actions.append(PolyBoltMessages.error(.badOperation, rid: rid))
        }
    }

    private mutating func authenticate(
        _ value: JSONValue?, _ rid: String?, _ accepts: CredentialsCheck, into actions: inout [ChannelAction]
    ) {
        self.authCount += 1
        guard self.authCount <= Self.authCountMax else {
            actions.append(PolyBoltMessages.error(.tooManyAuths, rid: rid))
            return self.close(Self.CloseCode.auth, into: &actions)
        }
        let isGood = ChannelCredentials(value).map(accepts) ?? false
        self.isAuthed = self.isAuthed || isGood
        actions.append(
            isGood ? PolyBoltMessages.answer("authed", rid: rid) : PolyBoltMessages.error(.authInvalid, rid: rid))
    }

    /// Asked for again, a subscription begins anew: the old one is gone already.
    private mutating func subscribe(
        _ topic: PolyBoltTopic, _ rid: String?, at time: Int64, _ prices: ReferencePrices,
        into actions: inout [ChannelAction]
    ) {
        self.subscriptions.append((topic, 1))
        actions.append(PolyBoltMessages.answer("subscribed", rid: rid, channel: topic.channel.rawValue))
        actions.append(
            PolyBoltMessages.snapshot(topic, prices, upTo: self.toldSecond, time: time, sequence: 1))
    }
}
