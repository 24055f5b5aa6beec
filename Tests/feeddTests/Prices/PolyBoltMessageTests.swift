import Shared
import Testing

@testable import feedd

/// The texts of the venue's price stream. Source: reference, 3.4.
@Suite struct PolyBoltMessageTests {
    static let update = #"""
        {"v":1,"channel":"price.crypto.twap","seq":17,"ts":1790000001200,"payload":{"symbol":"btcusd","source":"chainlink",
        "window_seconds":60,"value":63123.45,"full_accuracy_value":"63123450000000000000000","timestamp":1790000000000,
        "received_at":1790000001100}}
        """#
    static let snapshot = #"""
        {"v":1,"channel":"price.crypto.twap","seq":1,"ts":1790000001200,"snapshot":true,"payload":{"symbol":"btcusd",
        "source":"chainlink","window_seconds":60,"data":[
        {"value":63000,"full_accuracy_value":"63000000000000000000000","timestamp":1789999999000},
        {"value":63001.5,"full_accuracy_value":"63001500000000000000000","timestamp":1790000000000},
        {"value":62999,"full_accuracy_value":"62999000000000000000000","timestamp":1789999998000}]}}
        """#

    private func read(_ text: String) throws -> PolyBoltMessage {
        try Array(text.utf8).withUnsafeBufferPointer { try PolyBoltMessage(reading: $0) }
    }

    @Test func anAverageIsReadWithAllItsPlaces() throws {
        #expect(
            try self.read(Self.update)
                == .update(
                    PolyBoltUpdate(
                        symbol: .btcusd, sequence: 17, time: 1_790_000_000_000,
                        price: AgreedPrice(value: "63123.45", fullAccuracy: "63123.45"))))
    }

    @Test func whatStandsBesideItIsRead() throws {
        let text = Self.update.replacing(#""seq":17"#, with: #""seq":17,"dropped":3"#)
            .replacing(#""value":6"#, with: #""is_carried_forward":true,"value":6"#)
        guard case .update(let update) = try self.read(text) else {
            Issue.record("no update")
            return
        }
        #expect(update.dropped == 3 && update.isCarriedForward)
    }

    @Test func ofASnapshotTheNewestIsTakenWhereverItStands() throws {
        guard case .update(let update) = try self.read(Self.snapshot) else {
            Issue.record("no update")
            return
        }
        #expect(update.isSnapshot && update.sequence == 1 && update.time == 1_790_000_000_000)
        #expect(update.price?.text == "63001.5")
    }

    @Test func twoReadingsThatContradictEachOtherAreNoPrice() throws {
        guard case .update(let update) = try self.read(Self.update.replacing("63123.45,", with: "64123.45,")) else {
            Issue.record("no update")
            return
        }
        #expect(update.price == nil)
    }

    @Test func answersAndErrorsAreToldApart() throws {
        #expect(try self.read(#"{"op":"authed","rid":"auth"}"#) == .authed)
        #expect(
            try self.read(#"{"op":"error","code":"bad_filter","rid":"hypeusd"}"#)
                == .error(code: "bad_filter", request: "hypeusd"))
        #expect(try self.read(#"{"op":"error"}"#) == .error(code: "none", request: nil))
        for text in [
            #"{"op":"pong"}"#, #"{"op":"subscribed","channel":"price.crypto.twap","rid":"btcusd"}"#, "{}",
            #"{"channel":"price.crypto","payload":{}}"#,
            Self.update.replacing("60,", with: "30,"), Self.update.replacing("btcusd", with: "goldusd"),
            Self.snapshot.replacing(#""data":["#, with: #""data":[],"old":["#),
        ] {
            #expect(try self.read(text) == .other, "\(text)")
        }
    }

    @Test(arguments: [
        (update, #""source":"chainlink","#, ""), (update, #""source":"chainlink""#, #""source":"""#),
        (update, #""window_seconds":60,"#, ""), (update, #""symbol""#, #""name""#), (update, #""value""#, #""worth""#),
        (update, "63123.45", #""63123.45""#), (update, #""full_accuracy_value""#, #""full""#),
        (update, #""timestamp":1790000000000"#, #""timestamp":0"#), (update, #""seq":17"#, #""seq":"x""#),
        (update, #""payload""#, #""load""#), (snapshot, #""data""#, #""more""#), (update, "{", "["),
        (update, "}}", "}"),
    ])
    func whatIsBrokenIsRefused(text: String, right: String, wrong: String) throws {
        let broken = text.replacing(right, with: wrong, maxReplacements: 1)
        #expect(broken != text)
        #expect(throws: JSONError.self) { try self.read(broken) }
    }
}
