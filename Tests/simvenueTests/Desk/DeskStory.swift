import Shared
import Signing

@testable import simvenue

/// An engine that is alone with its desk.
struct LoneEngine: EngineAccess {
    var engine: MatchingEngine
    /// What happened since the desk heard of it last.
    var events: [EngineEvent] = []

    mutating func handle(_ request: EngineRequest, at time: Timestamp) -> [EngineEvent] {
        let events = self.engine.handle(request, now: time)
        self.events += events
        return events
    }
}

/// Somebody who signs: with which key, and where the funds are.
struct Trader {
    let key: PrivateKey
    var type = SignatureType.eoa
    var apiKey = ""
    var secret = ""
    var passphrase = ""

    /// Test keys that everybody knows.
    init(_ number: Int = 1, _ type: SignatureType = .eoa) {
        let digits = String(number, radix: 16)
        self.init(key: String(repeating: "0", count: 64 - digits.utf8.count) + digits, type)
    }

    init(key text: String, _ type: SignatureType = .eoa) {
        self.key = Array(text.utf8).withUnsafeBufferPointer { PrivateKey(hex: $0)! }
        self.type = type
    }

    var address: Address { self.key.address }
    var funder: Address { Signatures.wallets(of: self.address, self.type)[0] }

    func claim(at time: Timestamp, nonce: UInt64 = 0) -> [(name: String, value: String)] {
        let seconds = time.microseconds / 1_000_000
        let claim = ClobAuth(address: self.address, timestamp: seconds, nonce: nonce)
        return [
            ("POLY_ADDRESS", self.address.description), ("POLY_SIGNATURE", self.key.sign(claim.digest).description),
            ("POLY_TIMESTAMP", "\(seconds)"), ("POLY_NONCE", "\(nonce)"),
        ]
    }

    func mark(_ method: String, _ path: String, _ body: String, at time: Timestamp) -> [(name: String, value: String)] {
        let seconds = time.microseconds / 1_000_000
        let signature =
            APISecret(self.secret)?.sign(timestamp: seconds, method: method, path: path, body: Array(body.utf8)) ?? ""
        return [
            ("POLY_ADDRESS", self.address.description), ("POLY_SIGNATURE", signature),
            ("POLY_TIMESTAMP", "\(seconds)"), ("POLY_API_KEY", self.apiKey), ("POLY_PASSPHRASE", self.passphrase),
        ]
    }
}

/// A desk and its engine, whose time the test tells.
struct DeskStory {
    var desk: Desk
    var engine: LoneEngine
    var time = engineStart
    private var salt: UInt64 = 0
    /// What the user channel said.
    private(set) var messages: [UserMessage] = []

    init(
        _ settings: Desk.Settings = .init(), engine: MatchingEngine.Settings = .init(),
        markets: [Market] = [engineMarket()]
    ) {
        self.desk = Desk(settings)
        self.engine = LoneEngine(engine: MatchingEngine(engine, at: engineStart))
        for market in markets { _ = self.engine.handle(.list(market), at: engineStart) }
    }

    var market: Market { self.engine.engine.markets[0].terms }

    /// Lets time go by.
    mutating func wait(milliseconds: Int64) {
        let end = self.time + .milliseconds(milliseconds)
        while true {
            let next = [self.desk.nextTime, self.engine.engine.nextTime].compactMap { $0 }.min() ?? end
            self.time = min(end, max(next, self.time))
            self.engine.events += self.engine.engine.advance(to: self.time)
            self.tell()
            self.desk.advance(to: self.time, engine: &self.engine)
            self.tell()
            if self.time >= end { return }
        }
    }

    private mutating func tell() {
        self.desk.note(self.engine.events)
        for event in self.engine.events {
            self.messages += UserMessages.messages(of: event, self.desk, self.engine.engine)
        }
        self.engine.events = []
    }

    // MARK: Requests

    /// Status and body of the answer; 0 when nobody answers there.
    mutating func send(
        _ method: String, _ target: String, _ headers: [(name: String, value: String)] = [], _ body: String = ""
    ) -> DeskReply {
        guard let request = PageRequest(method: method, target: target, headers: headers, body: Array(body.utf8)),
            let answer = self.desk.answer(request, at: self.time, engine: &self.engine)
        else { return DeskReply(status: 0, json: .null, headers: [:], retryAfter: nil) }
        self.tell()
        return DeskReply(answer)
    }

    /// A request with the trader's API key.
    mutating func send(_ trader: Trader, _ method: String, _ target: String, _ body: String = "") -> DeskReply {
        let path = String(target.prefix { $0 != "?" })
        return self.send(method, target, trader.mark(method, path, body, at: self.time), body)
    }

    /// A trader with an API key.
    mutating func join(_ number: Int = 1, _ type: SignatureType = .eoa) -> Trader {
        var trader = Trader(number, type)
        let reply = self.send("POST", "/auth/api-key", trader.claim(at: self.time))
        trader.apiKey = reply["apiKey"]?.string ?? ""
        trader.secret = reply["secret"]?.string ?? ""
        trader.passphrase = reply["passphrase"]?.string ?? ""
        return trader
    }

    // MARK: Orders

    /// An order of shares at a price as its owner would send it.
    mutating func order(
        _ trader: Trader, _ side: TradeSide, _ shares: String, at price: String, outcome: Int = 0,
        kind: String = "GTC", expiration: Int64 = 0, postOnly: Bool = false, domain: ExchangeDomain? = nil,
        change: (inout OrderMessage) -> Void = { _ in }
    ) -> DeskOrder {
        self.salt += 1
        let size = Quantity(micros: micros(shares))
        let money = size.notional(at: Price(decimal: price)!).micros
        let market = self.market
        var message = OrderMessage(
            salt: self.salt, maker: trader.funder,
            signer: trader.type == .poly1271 ? trader.funder : trader.address,
            token: outcome == 0 ? market.first.token : market.second.token,
            makerAmount: UInt64(side == .buy ? money : size.micros),
            takerAmount: UInt64(side == .buy ? size.micros : money), side: side, signatureType: trader.type,
            timestamp: UInt64(self.time.microseconds / 1_000))
        change(&message)
        // Not by the token: those of the tests are so small that they would be taken for position ids.
        let domain = domain ?? ExchangeContract(market).domain(on: .polygon)
        let (hash, signature) = message.sign(with: trader.key, in: domain)
        return DeskOrder(
            message: message, hash: hash.description, signature: signature.description, owner: trader.apiKey,
            kind: kind, expiration: expiration, postOnly: postOnly)
    }

    @discardableResult
    mutating func place(
        _ trader: Trader, _ side: TradeSide, _ shares: String, at price: String, outcome: Int = 0,
        kind: String = "GTC", postOnly: Bool = false
    ) -> DeskReply {
        let order = self.order(trader, side, shares, at: price, outcome: outcome, kind: kind, postOnly: postOnly)
        return self.send(trader, "POST", "/order", order.body)
    }

    mutating func split(_ trader: Trader, _ shares: Int64) {
        let account = self.desk.accounts.account(of: trader.funder)!
        _ = self.engine.handle(.split(account, self.market.condition, Quantity(shares: shares)), at: self.time)
    }

    /// Ids of the trader's open orders.
    mutating func openOrders(_ trader: Trader) -> [String] {
        self.send(trader, "GET", "/data/orders")["data"]?.array?.compactMap { $0["id"]?.string } ?? []
    }
}

/// An order with its signature.
struct DeskOrder {
    var message: OrderMessage
    var hash: String
    var signature: String
    var owner: String
    var kind: String
    var expiration: Int64
    var postOnly: Bool

    /// The body of `POST /order`.
    var body: String {
        let message = self.message
        return """
            {"order":{"salt":\(message.salt),"maker":"\(message.maker)","signer":"\(message.signer)",\
            "tokenId":"\(message.token)","makerAmount":"\(message.makerAmount)",\
            "takerAmount":"\(message.takerAmount)","side":"\(message.side == .buy ? "BUY" : "SELL")",\
            "expiration":"\(self.expiration)","signatureType":\(message.signatureType.rawValue),\
            "timestamp":"\(message.timestamp)","metadata":"\(message.metadata)","builder":"\(message.builder)",\
            "signature":"\(self.signature)"},"owner":"\(self.owner)","orderType":"\(self.kind)",\
            "deferExec":false,"postOnly":\(self.postOnly)}
            """
    }
}

/// An answer of the desk.
struct DeskReply {
    let status: Int
    let json: JSONValue
    let headers: [String: String]
    let retryAfter: Int64?

    init(status: Int, json: JSONValue, headers: [String: String], retryAfter: Int64?) {
        self.status = status
        self.json = json
        self.headers = headers
        self.retryAfter = retryAfter
    }

    init(_ answer: Answer) {
        self.status = answer.status
        self.json = (try? JSONValue(parsing: answer.body)) ?? .null
        self.headers = Dictionary(answer.headers.map { ($0.name, $0.value) }) { $1 }
        self.retryAfter = answer.retryAfter
    }

    subscript(key: String) -> JSONValue? { self.json[key] }
    /// The sentence of a refusal, of either kind.
    var error: String? { self["error"]?.string ?? self["error_msg"]?.string }
    var orderID: String? { self["orderID"]?.string }
    var canceled: [String] { self["canceled"]?.array?.compactMap(\.string) ?? [] }
}
