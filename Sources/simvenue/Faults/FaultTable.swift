import Shared

/// All faults with their names. The control interface, scripts, `simvenue --faults` and the document are made of it.
enum FaultTable {
    struct Row: Sendable {
        let name: String
        let parameters: [FaultParameter]
        /// What it does, for people.
        let sentence: String
        let make: @Sendable (FaultOrder) -> Fault
    }

    /// Of whatever lasts.
    static let secondsMax: Int64 = 3_600
    /// Deltas or requests that one fault happens to.
    static let countMax: Int64 = 10_000
    static let connectionMax: Int64 = 1_000
    static let delayMax: Int64 = 60_000
    static let skewMax: Int64 = 86_400_000
    static let frameByteCountMax: Int64 = 32 << 20

    static let rows: [Row] =
        (Self.lines + Self.deltas + Self.frames).map(Self.ofOneConnection) + Self.connections + Self.requests
        + Self.markets + Self.trading

    static func row(_ name: String) -> Row? { self.rows.first { $0.name == name } }

    static func seconds(_ fallback: Int64?) -> FaultParameter {
        FaultParameter("seconds", .whole(0...self.secondsMax), default: fallback.map { .whole($0) })
    }
    private static let count = FaultParameter("count", .whole(1...Self.countMax), default: .whole(1))
    private static let market = FaultParameter("market", .market)
    private static let path = FaultParameter("path", .path, default: .text("/"))

    /// Of the market channel.
    private static let lines = [
        Row(
            name: "drop", parameters: [FaultParameter("code", .whole(1_000...4_999))],
            sentence: "Ends every connection of the market channel, with a close frame of that code if one is given."
        ) { .drop(code: $0.whole("code").map { UInt16($0) }) },
        Row(
            name: "reset", parameters: [],
            sentence: "Ends every connection of the market channel by a TCP reset; what was on its way is lost."
        ) { _ in .reset },
        Row(
            name: "silence",
            parameters: [Self.seconds(5), FaultParameter("pong", .flag, default: .flag(false))],
            sentence: "The channel's connections stay open and say nothing, or only PONG; what was to be said is lost."
        ) { .silence(seconds: $0.whole("seconds") ?? 0, answersPings: $0.flag("pong")) },
        Row(
            name: "lie", parameters: [Self.seconds(5), Self.market],
            sentence:
                "The channel's connections are told whole books in the place of changes, with seven shares more at the "
                + "best bid and the right hashes of that; a new connection is not."
        ) { .lie(seconds: $0.whole("seconds") ?? 0, market: $0.text("market")) },
    ]

    private static let connections = [
        Row(
            name: "restart", parameters: [Self.seconds(2)],
            sentence: "Ends every connection, HTTP too, and refuses new ones for a time; the books go on meanwhile."
        ) { .restart(seconds: $0.whole("seconds") ?? 0) },
        Row(
            name: "refuse_connections", parameters: [Self.seconds(5)],
            sentence: "Nobody listens for a time, not even for /control; open connections stay."
        ) { .refuseConnections(seconds: $0.whole("seconds") ?? 0) },
        Row(
            name: "refuse_ws", parameters: [Self.seconds(5)],
            sentence: "Answers upgrades to the market channel with 503; open connections stay."
        ) { .refuseUpgrades(seconds: $0.whole("seconds") ?? 0) },
        Row(
            name: "withhold_books", parameters: [Self.seconds(5)],
            sentence: "Who subscribes to the market channel gets no first books for a time, only what changes."
        ) { .withholdBooks(seconds: $0.whole("seconds") ?? 0) },
        Row(
            name: "drop_prices", parameters: [FaultParameter("code", .whole(1_000...4_999))],
            sentence: "Ends every connection of the price streams, with a close frame of that code if one is given."
        ) { .dropPrices(code: $0.whole("code").map { UInt16($0) }) },
        Row(
            name: "silence_prices", parameters: [Self.seconds(5)],
            sentence: "The price streams say nothing but pings and pongs for a time; what was to be said is lost."
        ) { .silencePrices(seconds: $0.whole("seconds") ?? 0) },
        Row(
            name: "drop_user", parameters: [FaultParameter("code", .whole(1_000...4_999))],
            sentence: "Ends every connection of the user channel, with a close frame of that code if one is given."
        ) { .dropUsers(code: $0.whole("code").map { UInt16($0) }) },
        Row(
            name: "refuse_user", parameters: [Self.seconds(5)],
            sentence: "Answers upgrades to the user channel with 503; open connections stay."
        ) { .refuseUsers(seconds: $0.whole("seconds") ?? 0) },
        Row(
            name: "silence_user", parameters: [Self.seconds(5)],
            sentence: "The user channel says nothing for a time; what was to be said is lost."
        ) { .silenceUsers(seconds: $0.whole("seconds") ?? 0) },
    ]

    /// With a parameter more: which connection alone it happens to.
    private static func ofOneConnection(_ row: Row) -> Row {
        let connection = FaultParameter("connection", .whole(1...Self.connectionMax))
        return Row(name: row.name, parameters: row.parameters + [connection], sentence: row.sentence) { order in
            let fault = row.make(order)
            return order.whole("connection").map { .only(fault, connection: Int($0)) } ?? fault
        }
    }

    private static let deltas = [
        Self.delta("lose_next_delta", "The next price_change is not sent.") { _ in .lost },
        Self.delta("double_next", "The next price_change is sent twice.") { _ in .doubled },
        Self.delta(
            "delay_next", "The next price_change comes late; those after it are on time.",
            and: [FaultParameter("ms", .whole(1...Self.delayMax), default: .whole(500))]
        ) { .late($0.whole("ms") ?? 0) },
        Self.delta("reorder_next", "The next price_change comes after the first one of the next operation.") { _ in
            .reordered
        },
        Self.delta("corrupt_next", "The next price_change tells wrong sizes, with the right hash.") { _ in .wrongSize },
        Self.delta("wrong_hash", "The next price_change has the right sizes and wrong hashes.") { _ in .wrongHash },
        Self.delta("cut_next", "The next price_change is cut in the middle: no JSON.") { _ in .cut },
    ]

    private static func delta(
        _ name: String, _ sentence: String, and more: [FaultParameter] = [],
        _ kind: @escaping @Sendable (FaultOrder) -> DeltaFault.Kind
    ) -> Row {
        Row(name: name, parameters: more + [Self.count, Self.market], sentence: sentence) {
            .delta(DeltaFault(kind: kind($0), count: Int($0.whole("count") ?? 1), market: $0.text("market")))
        }
    }

    private static let frames = [
        Row(name: "empty_array", parameters: [], sentence: "Sends [] to all subscribers.") { _ in .frame(.emptyArray) },
        Row(name: "broken_json", parameters: [], sentence: "Sends an object that does not end to all subscribers.") {
            _ in .frame(.brokenJSON)
        },
        Row(name: "broken_utf8", parameters: [], sentence: "Sends a text that is no UTF-8 to all subscribers.") { _ in
            .frame(.brokenUTF8)
        },
        Row(
            name: "huge_frame",
            parameters: [FaultParameter("bytes", .whole(4...Self.frameByteCountMax), default: .whole(17 << 20))],
            sentence: "Sends one text of so many bytes to all subscribers."
        ) { .frame(.huge(byteCount: Int($0.whole("bytes") ?? 4))) },
    ]

    private static let requests = [
        Row(
            name: "http_status",
            parameters: [
                FaultParameter("status", .whole(400...599), isRequired: true),
                FaultParameter("retry_after", .whole(0...Self.secondsMax)), Self.path, Self.count,
            ],
            sentence: "Answers the next requests with that status, and with Retry-After in seconds if it is given."
        ) {
            Self.request(.status(Int($0.whole("status") ?? 0), retryAfter: $0.whole("retry_after")), $0)
        },
        Row(
            name: "http_slow",
            parameters: [
                FaultParameter("ms", .whole(1...Self.delayMax), default: .whole(1_000)), Self.path, Self.count,
            ],
            sentence: "Answers the next requests late."
        ) { Self.request(.slow($0.whole("ms") ?? 0), $0) },
        Row(
            name: "http_lost", parameters: [Self.path, Self.count],
            sentence: "Does what the next requests ask, then ends their connections without an answer."
        ) { Self.request(.lost, $0) },
        Row(
            name: "stale_book",
            parameters: [
                Self.seconds(5),
                FaultParameter("kind", .choice(StaleBooks.allCases.map(\.rawValue)), default: .text("placeholder")),
            ],
            sentence:
                "/book, /price, /midpoint, /spread and their plurals show 0.01 bid and 0.99 asked, or the books as "
                + "they are now."
        ) {
            .staleBooks(
                $0.text("kind").flatMap { StaleBooks(rawValue: $0) } ?? .placeholder,
                seconds: $0.whole("seconds") ?? 0)
        },
    ]

    private static func request(_ kind: RequestFault.Kind, _ order: FaultOrder) -> Fault {
        .request(RequestFault(kind: kind, path: order.text("path") ?? "/", count: Int(order.whole("count") ?? 1)))
    }

    private static let markets = [
        Row(
            name: "tick_size",
            parameters: [FaultParameter("tick", .choice(["0.001", "0.0001"]), default: .text("0.001")), Self.market],
            sentence: "Moves that market, or the first one that can, to a finer tick."
        ) {
            .changeTick($0.text("tick").flatMap { TickSize(decimal: $0) } ?? .cent, market: $0.text("market"))
        },
        Row(
            name: "resolve",
            parameters: [FaultParameter("winner", .whole(0...1), default: .whole(0)), Self.market],
            sentence: "Resolves that dated market, or the first one, for the outcome at that index."
        ) { .resolve(winner: Int($0.whole("winner") ?? 0), market: $0.text("market")) },
        Row(
            name: "list_market", parameters: [],
            sentence: "Lists a dated market more, and tells everybody on the market channel of it."
        ) { _ in .listMarket },
        Row(
            name: "clock_skew",
            parameters: [FaultParameter("ms", .whole(-Self.skewMax...Self.skewMax), isRequired: true)],
            sentence: "The venue's own times are so many milliseconds off, behind if negative; 0 sets them right."
        ) { .skewClock($0.whole("ms") ?? 0) },
        Row(
            name: "pause_traffic", parameters: [Self.seconds(nil)],
            sentence: "Nothing is traded, for a time or until resume."
        ) { .pauseTraffic(seconds: $0.whole("seconds")) },
        Row(name: "resume", parameters: [], sentence: "Trading goes on.") { _ in .resume },
        Row(
            name: "heal", parameters: [],
            sentence: "Ends what lasts and forgets what waits; a listener that is away and pause_traffic stay so."
        ) { _ in .heal },
        Row(
            name: "await_subscription", parameters: [],
            sentence: "In a script: what follows waits for the first subscription, and its times go on from there."
        ) { _ in .awaitSubscription },
    ]

    // MARK: Texts

    /// For a terminal: a name, its sentence, its parameters, and so on.
    static var text: String {
        self.rows.map { row in
            ([row.name, "  " + row.sentence] + row.parameters.map { "    " + $0.text }).joined(separator: "\n") + "\n"
        }.joined()
    }

    /// The table of the document.
    static var document: String {
        "| fault | parameters | what it does |\n|---|---|---|\n"
            + self.rows.map { row in
                let parameters = row.parameters.map { "`\($0.name)`" + $0.text.dropFirst($0.name.count) }
                return "| `\(row.name)` | \(parameters.joined(separator: "<br>")) | \(row.sentence) |\n"
            }.joined()
    }
}
