import Shared
import Testing

@testable import stratd

/// An engine that was written down and read again is the same engine.
@Suite struct EngineStateTests {
    private static func names(_ value: Any) -> [String] {
        Mirror(reflecting: value).children.compactMap(\.label).sorted()
    }

    /// Whoever gives one of these another property has to write it down too: then the list here is theirs to change.
    @Test func nothingThatItHoldsIsForgotten() throws {
        let session = InputSession(seed: 1, count: 50)
        #expect(
            Self.names(session.end) == [
                "actions", "bidless", "bidsOfOthers", "cancelOnAcceptance", "clockSkew", "decisions", "errorRate",
                "feedTime",
                "fillCount",
                "flattening", "gate", "homeless", "incomeMinute", "isClockTold", "isFeedUp", "isHaltFilePresent",
                "isStopping",
                "lastLooks",
                "lastMarks", "lastMoment", "ledger",
                "lookCount", "mode", "orderCount", "profit", "recordCount", "rejectionWaits", "schedule", "slots",
                "tradesToldTo", "unexplained",
                "unexplainedShares", "unrecordedIncome",
                "venueClosedReason", "views",
            ])
        #expect(Self.names(session.end.gate) == ["configured", "identity", "limits", "rate", "refused"])
        #expect(Self.names(session.end.views) == ["brokenCount", "followed", "numbers", "places", "skippedCount"])
        #expect(
            Self.names(try #require(session.end.views.sorted.first)) == [
                "bids", "book", "described", "epoch", "isSettled", "market", "receivedTime", "resolution", "trust",
                "update",
            ])
        #expect(
            Self.names(makerParameters) == [
                "halfSpreadTicks", "orderLifeMin", "orderSize", "orderValue", "positionMax", "repriceTicks",
                "requoteInterval", "resizePercent",
            ])
        #expect(Self.names(wideLimits).count == 19)
    }

    @Test(arguments: Array(1...8) as [UInt64])
    func whereverItIsTakenUpItActsTheSame(seed: UInt64) throws {
        let session = InputSession(seed: seed, count: 1_500)
        var random = SeededRandom(seed: seed ^ 0xBEEF)
        let places = Set((0..<6).map { _ in Int.random(in: 0..<session.steps.count, using: &random) })
        var engine = session.start
        var restored: [StrategyEngine] = []
        for (index, step) in session.steps.enumerated() {
            if places.contains(index) {
                let bytes = InputSession.bytes(engine)
                let copy = try InputSession.engine(bytes)
                #expect(InputSession.bytes(copy) == bytes, "SIMULATION_SEED=\(seed), step \(index)")
                #expect(copy.nextWake == engine.nextWake)
                restored.append(copy)
            }
            #expect(InputSession.bytes(engine.apply(step.input, now: step.now)) == step.answer)
            for copy in restored.indices {
                let answer = InputSession.bytes(restored[copy].apply(step.input, now: step.now))
                guard answer == step.answer else {
                    Issue.record("SIMULATION_SEED=\(seed), step \(index): \(step.input.name)")
                    return
                }
            }
        }
        for copy in restored {
            #expect(InputSession.bytes(copy) == InputSession.bytes(session.end), "SIMULATION_SEED=\(seed)")
        }
    }

    @Test func theSessionsHaveEverythingInThem() {
        let sessions = (1...8).map { InputSession(seed: $0, count: 1_500) }
        let fills = sessions.reduce(0) { $0 + $1.end.fillCount }
        let orders = sessions.reduce(0) { $0 + $1.end.orderCount }
        #expect(fills > 100 && orders > 100, "\(fills) fills, \(orders) orders")
        #expect(sessions.contains { !$0.end.ledger.pending.isEmpty })
        let names = Set(sessions.flatMap { $0.steps.map(\.input.name) })
        let missing = EngineInput.Name.allCases.map(\.rawValue).filter { !names.contains($0) }
        #expect(missing == ["stop"], "\(missing)")
    }

    @Test func whatIsNoEngineIsRefused() throws {
        let bytes = InputSession.bytes(InputSession(seed: 3, count: 200).end)
        #expect(throws: JSONError.self) { try InputSession.engine(Array("{}".utf8)) }
        #expect(throws: JSONError.self) { try InputSession.engine(Array(bytes.dropLast())) }
        // A look of a strategy that there is not.
        let text = String(decoding: bytes, as: UTF8.self)
        let place = try #require(text.range(of: #""slot":0"#))
        #expect(throws: JSONError.self) {
            try InputSession.engine(Array(text.replacingCharacters(in: place, with: #""slot":7"#).utf8))
        }
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
        self.indices.first { self[$0...].hasPrefix(text) }.map { $0..<self.index($0, offsetBy: text.count) }
    }

    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
