import Shared

/// A stream of Binance by its name, "btcusdt@trade". Source: reference, 5.
struct BinanceStream: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case trade
        case aggregateTrade
        case bookTicker
        /// So many levels of each side.
        case partialDepth(Int)
        case depth
        case hourlyCandle
    }

    /// Names of the kinds that this venue has.
    private static let kinds: [String: Kind] = [
        "trade": .trade, "aggTrade": .aggregateTrade, "bookTicker": .bookTicker, "depth5@100ms": .partialDepth(5),
        "depth10@100ms": .partialDepth(10), "depth20@100ms": .partialDepth(20), "depth@100ms": .depth,
        "kline_1h": .hourlyCandle,
    ]

    /// Index in the catalogue.
    let asset: Int
    let kind: Kind

    /// - Returns: `nil` for a stream that never says anything here; Binance lets anybody subscribe to such.
    init?(_ name: String) {
        let halves = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard halves.count == 2, let kind = Self.kinds[halves[1]],
            let asset = ReferenceAsset.all.firstIndex(where: { $0.pair == halves[0] })
        else { return nil }
        self.asset = asset
        self.kind = kind
    }

    /// Subscriptions of one connection. Source: reference, 5.
    static let countMax = 1_024
    /// Longest name that is remembered.
    static let nameByteCountMax = 128
}

/// What an upgrade to Binance's streams asks for: its path and query.
struct BinanceTarget: Hashable, Sendable {
    let streams: [String]
    /// Whether each message is wrapped with the name of its stream.
    let isCombined: Bool
    let isMicroseconds: Bool

    /// - Returns: `nil` for a path that is not Binance's, or for more than it takes.
    init?(_ request: PageRequest) {
        switch (request.path.first, request.path.count) {
        case ("ws", 2...) where !Self.venueChannels.contains(request.path[1]):
            self.streams = Array(request.path.dropFirst())
            self.isCombined = false
        case ("stream", 1):
            self.streams = (request.value("streams") ?? "").split(separator: "/").map(String.init)
            self.isCombined = true
        default: return nil
        }
        self.isMicroseconds = request.value("timeUnit")?.lowercased() == "microsecond"
        guard self.streams.count <= BinanceStream.countMax,
            self.streams.allSatisfy({ $0.utf8.count <= BinanceStream.nameByteCountMax })
        else { return nil }
    }

    /// Channels of the venue itself below the same path.
    private static let venueChannels = ["market", "user"]
}
