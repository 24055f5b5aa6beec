import Shared
import Testing

/// What other programs rely on: the bytes of every body, member by member.
@Suite struct FrameContractTests {
    @Test(arguments: FrameExamples.all) func everyBodyIsWrittenAsItIsFrozen(example: FrameExample) {
        #expect(example.written() == example.json)
    }

    @Test(arguments: FrameExamples.all) func everyBodyIsReadBack(example: FrameExample) throws {
        #expect(try example.isReadFrom(example.json))
    }

    @Test(arguments: FrameExamples.all) func readersRelyOnNoOrderAndPassOverWhatIsNew(example: FrameExample) throws {
        var random = SeededRandom(seed: 1)
        for _ in 0..<10 {
            let text = Self.shuffled(try JSONValue(text: example.json), addsMember: true, using: &random)
            #expect(try example.isReadFrom(text), "\(text)")
        }
    }

    /// Every member that is not marked as one that may be missing must be there.
    @Test(arguments: FrameExamples.all) func aMemberThatIsMissingIsMissed(example: FrameExample) throws {
        let members = try #require(try JSONValue(text: example.json).object)
        for name in members.keys {
            var fewer = members
            fewer[name] = nil
            let text = Self.shuffled(.object(fewer), addsMember: false)
            guard Self.mayBeMissing[example.type]?.contains(name) == true else {
                #expect(throws: JSONError.self, "\(example.type.rawValue) without \(name)") {
                    try example.isReadFrom(text)
                }
                continue
            }
            #expect(throws: Never.self) { try example.isReadFrom(text) }
        }
    }

    @Test(arguments: FrameExamples.all) func aMemberOfAnotherKindIsRefused(example: FrameExample) throws {
        let members = try #require(try JSONValue(text: example.json).object)
        let others: [JSONValue] = [.bool(true), .string("x"), .array([.object([:])]), .number("1.5"), .number("-9e99")]
        for (name, value) in members where !(example.type == .result && name == "value") {
            for other in others where !Self.isSameKind(value, other) {
                var changed = members
                changed[name] = other
                let text = Self.shuffled(.object(changed), addsMember: false)
                #expect(throws: JSONError.self, "\(example.type.rawValue) \(name): \(text)") {
                    try example.isReadFrom(text)
                }
            }
        }
    }

    @Test(arguments: FrameExamples.all) func everyCutOfABodyIsRefused(example: FrameExample) throws {
        let bytes = Array(example.json.utf8)
        for end in bytes.indices {
            let text = String(decoding: bytes[..<end], as: UTF8.self)
            #expect(throws: JSONError.self, "cut at \(end)") { try example.isReadFrom(text) }
        }
    }

    /// Every type has an example, or a body without a form of its own.
    @Test func everyTypeHasAnExample() {
        let shown = Set(FrameExamples.all.map(\.type))
        for type in FrameType.allCases {
            let isCommand: Bool =
                switch type {
                case .scanNow, .halt, .resume, .cancelAll, .flatten, .pauseStrategy, .resumeStrategy, .setLimit,
                    .explain:
                    true
                case .hello, .ping, .pong, .error, .result, .subscribe, .metrics, .universe, .marketAdded,
                    .marketChanged,
                    .marketRemoved, .eventGroup, .scanStatus, .marketHint, .market, .book, .delta, .trade, .trust,
                    .resolved, .tickSize,
                    .referencePrice,
                    .tradesDropped, .feedStatus, .order, .fill, .position, .balance, .decision, .riskStatus,
                    .strategyStatus:
                    false
                }
            #expect(shown.contains(type) != isCommand, "\(type.rawValue)")
        }
    }

    @Test func theWordsOfClosedListsAreFrozen() {
        #expect(
            ErrorCode.allCases.map(\.rawValue) == [
                "bad_length", "bad_json", "bad_version", "bad_request", "not_allowed", "slow_consumer", "too_many",
                "internal",
            ])
        let reasons = TrustReason.allCases.map(\.rawValue)
        for reason in [
            "silent", "dropped", "hash_mismatch", "crossed", "mirror", "gap", "no_snapshot", "rest_stale", "resolved",
        ] {
            #expect(reasons.contains(reason))
        }
        #expect(
            OrderState.allCases.map(\.rawValue) == [
                "intended", "sent", "live", "delayed", "partly_filled", "filled", "cancelling", "cancelled", "rejected",
                "unknown", "expired",
            ])
        #expect(
            MarketRemoved.Reason.allCases.map(\.rawValue) == ["ended", "resolved", "filtered", "outranked", "unlisted"])
        #expect(MarketHint.Kind.allCases.map(\.rawValue) == ["new", "resolved"])
        #expect(EventGroup.State.allCases.map(\.rawValue) == ["tradable", "closed", "placeholder", "refused"])
        #expect(FeedStatus.Mode.allCases.map(\.rawValue) == ["websocket", "rest_polling", "disconnected", "replay"])
        #expect(DecisionBody.Action.allCases.map(\.rawValue) == ["quote", "hold", "refuse"])
        #expect(ReferencePriceBody.Kind.allCases.map(\.rawValue) == ["trade", "book", "twap_60", "kline_1h"])
        #expect(ReferencePriceBody.Source.allCases.map(\.rawValue) == ["binance", "polybolt", "estimate"])
    }

    /// Books, prints and figures may be replaced by later ones; everything else must arrive.
    @Test func whatMustArriveIsPrecious() {
        let replaceable: Set<FrameType> = [
            .book, .delta, .trade, .tradesDropped, .feedStatus, .scanStatus, .metrics, .riskStatus, .strategyStatus,
            .referencePrice, .marketHint,
        ]
        for type in FrameType.allCases { #expect(type.isPrecious != replaceable.contains(type), "\(type.rawValue)") }
    }

    @Test(arguments: ["-1", "1e3", "", ".", "1.", ".5", "1.2.3", "x"]) func aReferencePriceIsDecimalText(
        price: String
    ) throws {
        let example = try #require(FrameExamples.all.first { $0.type == .referencePrice })
        let text = example.json.replacing("63123.45000001", with: price)
        #expect(throws: JSONError.self) { try example.isReadFrom(text) }
    }

    @Test func aLongUniverseComesInParts() throws {
        let market = Market.example()
        let bodies = UniverseBody.split(Array(repeating: market, count: 1_000), age: 5)
        #expect(bodies.map(\.markets.count).reduce(0, +) == 1_000)
        #expect(bodies.map(\.part) == Array(1...Int64(bodies.count)))
        #expect(bodies.allSatisfy { $0.parts == Int64(bodies.count) && $0.age == 5 })
        for body in bodies {
            #expect(
                EncodedFrame(body, sentTime: Timestamp(microseconds: 0)).byteCount(sequence: .max)
                    < FrameDecoder.byteCountMax)
        }
        #expect(UniverseBody.split([], age: 5) == [UniverseBody(markets: [], age: 5)])
    }

    /// The largest book there is fits one frame.
    @Test func aBookWithEveryPriceFilledFitsAFrame() {
        let levels = (Int64(1)...9_999).map { Level(price: Price(micros: $0 * 100)!, size: OrderBook.levelSizeMax) }
        let body = BookBody(
            n: .max, market: Market.example().condition, epoch: .max, update: .max, isTrusted: true, isSettled: true,
            source: .webSocket, tick: TickSize(micros: 100)!, bids: levels, asks: levels, hash: nil, conflated: .max,
            venueTime: Timestamp(microseconds: .max), receivedTime: Timestamp(microseconds: .max))
        #expect(
            EncodedFrame(body, sentTime: Timestamp(microseconds: 0)).byteCount(sequence: .max)
                < FrameDecoder.byteCountMax)
    }

    // MARK: Members

    private static let ofMarkets: Set = [
        "start_time", "rewards", "asset", "augmented", "rebate_rate", "taker_delay_s", "resolution_source",
    ]
    private static let mayBeMissing: [FrameType: Set<String>] = [
        .result: ["value"], .subscribe: ["id", "reference_prices"], .universe: ["part", "parts"],
        .market: ofMarkets, .marketAdded: ofMarkets, .marketChanged: ofMarkets, .marketHint: ["market", "slug"],
        .scanStatus: ["error"], .book: ["hash", "conflated"],
        .trade: ["transaction"], .resolved: ["winner"], .order: ["reason"], .fill: ["money"], .position: ["strategy"],
    ]

    /// The same members in another order, with one that this version does not know.
    private static func shuffled(_ value: JSONValue, addsMember: Bool, using random: inout SeededRandom) -> String {
        guard case .object(var members) = value else { return "" }
        if addsMember { members["added_later"] = .array([.object(["n": .null]), .string("]}")]) }
        var writer = JSONWriter()
        writer.object {
            for (key, value) in members.sorted(by: { $0.key < $1.key }).shuffled(using: &random) {
                $0.key(dynamic: key)
                value.write(to: &$0)
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func shuffled(_ value: JSONValue, addsMember: Bool) -> String {
        var random = SeededRandom(seed: 2)
        return Self.shuffled(value, addsMember: addsMember, using: &random)
    }

    /// Whether one stands where the other may: any text where a name is free, "all" for a list.
    private static func isSameKind(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null), (.bool, .bool), (.string, .string): true
        default: false
        }
    }
}
