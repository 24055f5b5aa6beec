import DaemonKit
import Shared
import Testing

@testable import stratd

/// What the venue answers to orders, and what follows.
@Suite struct VenueAnswerTests {
    // MARK: Unclear answers

    @Test func aLegThatCannotBeMadeOutIsLostAlone() throws {
        let world = LiveWorld(marketCount: 8)
        world.advance(10)
        var batches: [[ApprovedOrder]] = []
        for case .place(let orders) in world.takeAsked() { batches.append(orders) }
        let batch = try #require(batches.first)
        try #require(batch.count == 15)
        var legs = batch.map { #"{"success":true,"errorMsg":"","orderID":"\#($0.hash)","status":"live"}"# }
        legs[6] = #"{"success":false,"errorMsg":null,"orderID":null,"status":null,"tradeIDs":null}"#
        let answer = try JSONValue(parsing: "[\(legs.joined(separator: ","))]".utf8)
        let placements = try ClobClient.placements(answer, count: 15)
        world.answer(.placed(batch, .success(placements)), 100)
        for (index, order) in batch.enumerated() {
            let state = world.engine.ledger.order(order.id)?.body.state
            #expect(state == (index == 6 ? .unknown : .live), "\(index)")
        }
        #expect(!world.engine.ledger.isHalted && world.engine.ledger.unknownOrderCount == 1)
    }

    @Test func anAnswerThatNamesAnOrderAndAProblemIsUnclear() throws {
        func placements(_ text: String) throws -> [OrderDesk.Placement] {
            try ClobClient.placements(try JSONValue(parsing: text.utf8), count: 1)
        }
        #expect(try placements(#"[{"success":false}]"#) == [.unclear("")])
        #expect(
            try placements(#"[{"success":true,"errorMsg":"no","orderID":"0x1","status":"live"}]"#) == [.unclear("no")])
        #expect(try placements(#"[{"success":true,"errorMsg":"no","orderID":""}]"#) == [.refused("no")])
        #expect(throws: ClobFailure.self) { try placements("[]") }
    }

    @Test func aListWithRowsThatCannotBeReadIsNotRead() throws {
        var world = DeskWorld(isReconciled: false)
        world.advance(0)
        world.take(.trades(.success([]), asOf: testStart), 0)
        world.take(.openOrders(.success([]), unreadCount: 1), 0)
        #expect(world.notes == [.ordersUnread(count: 1)])
        #expect(world.desk.closedReason(now: at(100).instant) != nil)
        // It is read again, and then all is clear.
        world.asked = []
        world.advance(15_000)
        #expect(world.asked.contains(.readOpenOrders))
        world.take(.openOrders(.success([])), 15_100)
        #expect(world.desk.closedReason(now: at(15_200).instant) == nil)
    }
}
