import Shared

/// Binance's messages. Source: reference, 5.
struct BinanceMessages: Sendable {
    let isCombined: Bool
    let isMicroseconds: Bool

    /// All that `stream` says of the step at `time`, in units of `LatentPrice.step`.
    func write(
        _ stream: BinanceStream, name: String, _ prices: AssetPrices, at time: Int64,
        into actions: inout [ChannelAction]
    ) {
        guard let step = prices.tape.step(at: time) else { return }
        switch stream.kind {
        case .trade, .aggregateTrade:
            for index in 0..<step.tradeCount {
                self.add(name, into: &actions) {
                    self.write(step.trade(index), stream, prices.asset, at: time, to: &$0)
                }
            }
        case .bookTicker: self.add(name, into: &actions) { self.writeTicker(step, prices.asset, to: &$0) }
        case .partialDepth(let count):
            let book = BinanceBook(step, prices.asset)
            self.add(name, into: &actions) {
                $0.key("lastUpdateId")
                $0.integer(time / LatentPrice.step)
                Self.write("bids", Array(book.bids.prefix(count)), to: &$0)
                Self.write("asks", Array(book.asks.prefix(count)), to: &$0)
            }
        case .depth:
            guard let before = prices.tape.step(at: time - LatentPrice.step) else { return }
            self.add(name, into: &actions) { self.writeDepth(step, before: before, prices.asset, to: &$0) }
        case .hourlyCandle:
            guard time % 1_000 == 0 else { return }
            if time % BinanceTape.hour == 0, let ended = prices.tape.candle(startingAt: time - BinanceTape.hour) {
                self.add(name, into: &actions) {
                    self.write(ended, prices.asset, at: time, isFinal: true, to: &$0)
                }
            }
            guard let candle = prices.tape.candle(at: time) else { return }
            self.add(name, into: &actions) { self.write(candle, prices.asset, at: time, isFinal: false, to: &$0) }
        }
    }

    private func add(_ name: String, into actions: inout [ChannelAction], _ payload: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(capacity: 256)
        if self.isCombined {
            writer.object {
                $0.key("stream")
                $0.string(name)
                $0.key("data")
                $0.object(payload)
            }
        } else {
            writer.object(payload)
        }
        actions.append(.send(writer.bytes))
    }

    /// A time in the unit that was asked for.
    private func time(_ milliseconds: Int64) -> Int64 { self.isMicroseconds ? milliseconds * 1_000 : milliseconds }

    private func writeHead(_ event: StaticString, _ asset: ReferenceAsset, at time: Int64, to writer: inout JSONWriter)
    {
        writer.key("e")
        writer.string("\(event)")
        writer.key("E")
        writer.integer(self.time(time))
        writer.key("s")
        writer.string(asset.pair.uppercased())
    }

    private func write(
        _ trade: BinanceTape.Trade, _ stream: BinanceStream, _ asset: ReferenceAsset, at time: Int64,
        to writer: inout JSONWriter
    ) {
        let isAggregate = stream.kind == .aggregateTrade
        self.writeHead(isAggregate ? "aggTrade" : "trade", asset, at: time, to: &writer)
        if isAggregate { writer.key("a") } else { writer.key("t") }
        writer.integer(trade.id)
        writer.key("p")
        writer.eightPlaces(trade.price)
        writer.key("q")
        writer.eightPlaces(trade.quantity)
        if isAggregate {
            // Each trade is an aggregate of its own.
            writer.key("f")
            writer.integer(trade.id)
            writer.key("l")
            writer.integer(trade.id)
        }
        writer.key("T")
        writer.integer(self.time(time))
        writer.key("m")
        writer.bool(trade.isBuyerMaker)
        writer.key("M")
        writer.bool(true)
    }

    private func writeTicker(_ step: BinanceTape.Step, _ asset: ReferenceAsset, to writer: inout JSONWriter) {
        let book = BinanceBook(step, asset)
        writer.key("u")
        writer.integer(step.time / LatentPrice.step)
        writer.key("s")
        writer.string(asset.pair.uppercased())
        writer.key("b")
        writer.eightPlaces(step.bid)
        writer.key("B")
        writer.eightPlaces(book.bids[0].quantity)
        writer.key("a")
        writer.eightPlaces(step.ask)
        writer.key("A")
        writer.eightPlaces(book.asks[0].quantity)
    }

    private func writeDepth(
        _ step: BinanceTape.Step, before: BinanceTape.Step, _ asset: ReferenceAsset, to writer: inout JSONWriter
    ) {
        let (old, new) = (BinanceBook(before, asset), BinanceBook(step, asset))
        self.writeHead("depthUpdate", asset, at: step.time, to: &writer)
        writer.key("U")
        writer.integer(step.time / LatentPrice.step)
        writer.key("u")
        writer.integer(step.time / LatentPrice.step)
        Self.write("b", BinanceBook.changes(from: old.bids, to: new.bids), to: &writer)
        Self.write("a", BinanceBook.changes(from: old.asks, to: new.asks), to: &writer)
    }

    private static func write(_ key: StaticString, _ levels: [BinanceBook.Level], to writer: inout JSONWriter) {
        writer.key(key)
        writer.array { writer in
            for level in levels {
                writer.array {
                    $0.eightPlaces(level.price)
                    $0.eightPlaces(level.quantity)
                }
            }
        }
    }

    private func write(
        _ candle: BinanceTape.Candle, _ asset: ReferenceAsset, at time: Int64, isFinal: Bool,
        to writer: inout JSONWriter
    ) {
        self.writeHead("kline", asset, at: time, to: &writer)
        writer.key("k")
        writer.object {
            $0.key("t")
            $0.integer(self.time(candle.start))
            $0.key("T")
            $0.integer(self.time(candle.start + BinanceTape.hour) - 1)
            $0.key("s")
            $0.string(asset.pair.uppercased())
            $0.key("i")
            $0.string("1h")
            $0.key("f")
            $0.integer(candle.firstTradeID)
            $0.key("L")
            $0.integer(candle.lastTradeID)
            $0.key("n")
            $0.integer(candle.tradeCount)
            $0.key("x")
            $0.bool(isFinal)
            Self.writeNumbers(candle, to: &$0)
        }
    }

    private static func writeNumbers(_ candle: BinanceTape.Candle, to writer: inout JSONWriter) {
        let numbers: [(StaticString, Int64)] = [
            ("o", candle.open), ("c", candle.close), ("h", candle.high), ("l", candle.low), ("v", candle.quantity),
            ("q", candle.value), ("V", candle.takerQuantity), ("Q", candle.takerValue),
        ]
        for (key, units) in numbers {
            writer.key(key)
            writer.eightPlaces(units)
        }
        writer.key("B")
        writer.string("0")
    }
}
