import Shared

/// Any cut of a stream gives the same frames; a body that is read and written is read again as the same.
enum FramesTarget {
    private struct Outcome: Equatable {
        var frames: [[UInt8]] = []
        var error: FrameError?
    }

    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        let ways = cuts(of: Array(input))
        let whole = self.decode(ways[0])
        for pieces in ways.dropFirst() { check(self.decode(pieces) == whole, "another cut gives other frames") }
        for frame in whole.frames {
            check((1...FrameDecoder.byteCountMax).contains(frame.count), "a frame of \(frame.count) bytes")
            frame.withUnsafeBufferPointer(self.read)
        }
    }

    private static func decode(_ pieces: [[UInt8]]) -> Outcome {
        var decoder = FrameDecoder()
        var outcome = Outcome()
        for piece in pieces {
            guard outcome.error == nil else { break }
            decoder.append(piece)
            do {
                while let frame = try decoder.next({ (bytes) throws(FrameError) in Array(bytes) }) {
                    outcome.frames.append(frame)
                }
            } catch {
                outcome.error = error
            }
        }
        return outcome
    }

    private static func read(_ frame: UnsafeBufferPointer<UInt8>) {
        guard let envelope = try? Envelope(reading: frame) else { return }
        check((try? JSONValue(parsing: envelope.body)) != nil, "a body that is no JSON")
        guard let type = FrameType(rawValue: envelope.type) else { return }
        switch type {
        case .hello: self.body(Hello.self, envelope)
        case .ping: self.body(Ping.self, envelope)
        case .pong: self.body(Pong.self, envelope)
        case .error: self.body(ErrorBody.self, envelope)
        case .result: self.body(ResultBody.self, envelope)
        case .subscribe: self.body(Subscribe.self, envelope)
        case .metrics: self.body(Metrics.self, envelope)
        case .universe: self.body(UniverseBody.self, envelope)
        case .marketAdded: self.body(MarketAdded.self, envelope)
        case .marketChanged: self.body(MarketChanged.self, envelope)
        case .marketRemoved: self.body(MarketRemoved.self, envelope)
        case .eventGroup: self.body(EventGroupBody.self, envelope)
        case .marketHint: self.body(MarketHint.self, envelope)
        case .scanStatus: self.body(ScanStatus.self, envelope)
        case .market: self.body(MarketBody.self, envelope)
        case .book: self.body(BookBody.self, envelope)
        case .delta: self.body(DeltaBody.self, envelope)
        case .trade: self.body(TradeBody.self, envelope)
        case .trust: self.body(TrustBody.self, envelope)
        case .resolved: self.body(ResolvedBody.self, envelope)
        case .tickSize: self.body(TickSizeBody.self, envelope)
        case .referencePrice: self.body(ReferencePriceBody.self, envelope)
        case .tradesDropped: self.body(TradesDropped.self, envelope)
        case .feedStatus: self.body(FeedStatus.self, envelope)
        case .order: self.body(OrderBody.self, envelope)
        case .fill: self.body(FillBody.self, envelope)
        case .position: self.body(PositionBody.self, envelope)
        case .balance: self.body(BalanceBody.self, envelope)
        case .decision: self.body(DecisionBody.self, envelope)
        case .riskStatus: self.body(RiskStatus.self, envelope)
        case .strategyStatus: self.body(StrategyStatus.self, envelope)
        case .scanNow, .halt, .resume, .flatten, .explain, .cancelAll, .pauseStrategy, .resumeStrategy, .setLimit:
            _ = try? Command(envelope)
        }
    }

    private static func body<Body: FrameBody & Hashable>(_: Body.Type, _ envelope: Envelope) {
        guard let body = try? envelope.decode(Body.self) else { return }
        var writer = JSONWriter()
        body.write(to: &writer)
        let again = writer.bytes.withUnsafeBufferPointer { bytes in
            try? JSONReader.read(bytes) { (reader) throws(JSONError) in try Body(reading: &reader) }
        }
        check(again == body, "a \(envelope.type) is written as something else")
    }
}
