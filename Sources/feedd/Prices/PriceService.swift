import DaemonKit
import Logging
import Shared

/// Follows reference prices and tells them to the subscribers that asked. Confined to the daemon's loop.
///
/// Only the newest price of each kind matters: many in one round become one frame, and a slow subscriber gets the newest.
final class PriceService {
    struct Settings {
        var binance = BinanceFeed.Settings()
        var polyBolt = PolyBoltFeed.Settings()
        var board = PriceBoard.Settings()
    }

    /// Between looks whether a second has ended.
    private static let estimateInterval = Duration.milliseconds(100)
    /// Unknown names that a subscriber is told of, and how much of each.
    private static let unknownCountMax = 16
    private static let unknownByteCountMax = 32

    private let loop: EventLoop
    private let server: FrameServer
    private let logger: Logger
    private let binance: BinanceLines?
    private let polyBolt: PolyBoltLine?
    private var board: PriceBoard
    /// What each subscriber asked for, by peer.
    private var subscriptions: [Int: Set<ReferenceSymbol>] = [:]
    /// Those of the markets that are carried.
    private var carried: Set<ReferenceSymbol> = []
    /// What is to be told at the end of this round.
    private var changed: Set<PriceBoard.Key> = []
    /// Symbols of which the log says that their averages are estimates.
    private var toldEstimated: Set<ReferenceSymbol> = []
    private var unknownCount: Int64 = 0
    /// Nobody is called before the start, and a journal that is played never starts it.
    private var isRunning = false
    /// Says a sentence unless it came too often.
    var warn: (String, Logger.Metadata) -> Void = { _, _ in }
    /// Told of each price that is told.
    var onPrice: (ReferencePriceBody) -> Void = { _ in }

    /// - Parameter isReplay: whether prices come from a journal alone; see `play`.
    /// - Throws: for an address that is none.
    init(
        _ context: DaemonContext, server: FrameServer, isReplay: Bool = false, settings: Settings = Settings()
    ) throws {
        self.loop = context.loop
        self.server = server
        self.logger = context.logger
        self.board = PriceBoard(settings: settings.board)
        self.binance = isReplay ? nil : try BinanceLines(context, settings: settings.binance)
        self.polyBolt = isReplay ? nil : try PolyBoltLine(context, settings: settings.polyBolt)
    }

    func start() {
        self.isRunning = true
        self.binance?.warn = self.warn
        self.polyBolt?.warn = self.warn
        self.binance?.onMessage = { [weak self] message, received in
            guard let self, let key = self.board.take(message, received: received) else { return }
            self.tellSoon(key)
        }
        self.polyBolt?.onPrice = { [weak self] update, received in
            guard let self, let key = self.board.take(update, received: received) else { return }
            self.tellSoon(key)
        }
        self.apply()
        self.scheduleEstimate()
    }

    func stop() {
        self.isRunning = false
        self.binance?.stop()
        self.polyBolt?.stop()
    }

    // MARK: Who wants what

    /// A subscriber's wish, which replaces its former one.
    ///
    /// - Returns: for the answer: names that mean nothing here, a few of them, shortened; `nil` when there are none.
    func subscribe(_ peer: FramePeer, to names: [String]) -> JSONValue? {
        let symbols = Set(names.compactMap(ReferenceSymbol.init(rawValue:)))
        self.subscriptions[peer.id] = symbols.isEmpty ? nil : symbols
        self.apply()
        let unknown = Set(names).subtracting(symbols.map(\.rawValue)).sorted()
        guard !unknown.isEmpty else { return nil }
        self.unknownCount += Int64(unknown.count)
        let told = unknown.prefix(Self.unknownCountMax).map { $0.shortened(toByteCount: Self.unknownByteCountMax) }
        self.warn("A subscriber asks for reference prices that are not known", ["symbol": "\(told[0])"])
        return .object(["unknown_reference_prices": .array(told.map { .string($0) })])
    }

    /// Tells a new subscriber what is known.
    func tellKnown(to peer: FramePeer) {
        guard let symbols = self.subscriptions[peer.id] else { return }
        for (key, body) in self.board.known(of: symbols, now: .now()) {
            self.server.send(body, to: peer, as: .latest(key.number))
        }
    }

    func leave(_ peer: FramePeer) {
        guard self.subscriptions.removeValue(forKey: peer.id) != nil else { return }
        self.apply()
    }

    /// The assets that markets are about: "btc". Those without a price are passed over.
    func carry(_ assets: Set<String>) {
        let symbols = Set(assets.compactMap(ReferenceSymbol.init(asset:)))
        guard symbols != self.carried else { return }
        self.carried = symbols
        self.apply()
    }

    private var wanted: Set<ReferenceSymbol> { self.subscriptions.values.reduce(self.carried) { $0.union($1) } }

    private func apply() {
        guard self.isRunning else { return }
        let wanted = self.wanted
        self.binance?.want(wanted)
        self.polyBolt?.want(wanted)
    }

    // MARK: Telling

    /// Tells again what was recorded.
    func play(_ price: ReferencePriceBody) {
        if let key = self.board.play(price, received: .now()) { self.tell(key) }
    }

    private func tellSoon(_ key: PriceBoard.Key) {
        let isFirst = self.changed.isEmpty
        self.changed.insert(key)
        guard isFirst else { return }
        self.loop.deferToEndOfRound { [weak self] in self?.tell() }
    }

    private func tell() {
        let changed = self.changed.sorted()
        self.changed.removeAll(keepingCapacity: true)
        for key in changed { self.tell(key) }
    }

    private func tell(_ key: PriceBoard.Key) {
        guard let body = self.board[key] else { return }
        self.onPrice(body)
        self.server.publish(body, as: .latest(key.number)) {
            self.subscriptions[$0.id]?.contains(key.symbol) == true
        }
    }

    private func scheduleEstimate() {
        self.loop.after(Self.estimateInterval) { [weak self] in
            guard let self, self.isRunning else { return }
            let wanted = self.wanted
            for key in self.board.estimate(wanted, now: .now()) { self.tellSoon(key) }
            self.tellOfEstimates(wanted)
            self.scheduleEstimate()
        }
    }

    private func tellOfEstimates(_ wanted: Set<ReferenceSymbol>) {
        let estimated = self.board.estimated
        guard estimated != self.toldEstimated else { return }
        for symbol in estimated.subtracting(self.toldEstimated).sorted() {
            self.logger.notice("Average prices are estimates", metadata: ["symbol": "\(symbol.rawValue)"])
        }
        for symbol in self.toldEstimated.intersection(wanted).subtracting(estimated).sorted() {
            self.logger.notice("Average prices are the venue's", metadata: ["symbol": "\(symbol.rawValue)"])
        }
        self.toldEstimated = estimated
    }

    // MARK: Status

    /// Counters, all of them with names that are known beforehand.
    func add(to counters: inout [String: Int64]) {
        for counter in PriceBoard.Counter.allCases {
            counters["prices_\(counter.rawValue)"] = self.board.counts[counter] ?? 0
        }
        counters["prices_estimated_symbols"] = Int64(self.board.estimated.count)
        counters["prices_unknown_symbols"] = self.unknownCount
        self.binance?.add(to: &counters)
        self.polyBolt?.add(to: &counters)
    }
}
