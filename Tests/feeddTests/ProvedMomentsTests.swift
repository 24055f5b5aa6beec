import Shared
import Testing

@testable import feedd

/// What two lines say of one moment, and what the REST interface says of both.
@Suite struct ProvedMomentsTests {
    private static func hash(_ name: Int) -> BookHash {
        let text = String(name, radix: 16)
        return BookHash(String(repeating: "0", count: 40 - text.utf8.count) + text)!
    }

    private static func state(_ time: Int64, _ name: Int?) -> LagWatch.State {
        LagWatch.State(time: Timestamp(milliseconds: time), hash: name.map(Self.hash))
    }

    /// Times and books; `nil` is a book that is not proved.
    private static func line(_ told: [(Int64, Int?)]) -> ProvedMoments {
        var moments = ProvedMoments()
        for (time, name) in told { moments.note(Self.state(time, name)) }
        return moments
    }

    @Test func twoBooksOfAMomentThatIsOverAreAContradiction() {
        let one = Self.line([(1, 1), (2, 2), (3, 3)])
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (2, 2), (3, 3)])) == .agree)
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (2, 9), (3, 8)])) == .contradict)
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (2, 9), (4, 8)])) == .contradict)
        // One of them has nothing later, so that there may be more to come of that moment.
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (2, 9)])) == .unclear)
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (2, 9), (3, nil)])) == .unclear)
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (2, 2), (3, 9)])) == .unclear)
        // What was lost, came together or was not compared is no lie.
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (3, 3)])) == .agree)
        #expect(ProvedMoments.relation(one, Self.line([(1, 1), (2, nil), (4, 4)])) == .agree)
        #expect(ProvedMoments.relation(one, Self.line([(7, 7)])) == .unclear)
        #expect(ProvedMoments.relation(one, ProvedMoments()) == .unclear)
        // Who lied once and agrees now is believed.
        #expect(ProvedMoments.relation(one, Self.line([(1, 9), (2, 9), (3, 3)])) == .agree)
    }

    @Test func ofOneMomentTheLastBookCounts() {
        let one = Self.line([(1, 1), (1, nil), (1, 2), (5, 5)])
        #expect(one.count == 2)
        #expect(ProvedMoments.relation(one, Self.line([(1, 2), (5, 5)])) == .agree)
    }

    @Test func noMoreIsKeptThanTheBoundAndTheYoungestStay() {
        let many = Self.line((1...100).map { (Int64($0), $0) })
        #expect(many.count == ProvedMoments.countMax && many.youngest == Self.state(100, 100))
        for age in 0..<ProvedMoments.countMax {
            let time = 100 - age
            let liar = Self.line([(Int64(time), 999), (101, 101)])
            #expect(
                ProvedMoments.liar(leader: many, follower: liar, fetched: Self.state(Int64(time), time)) == .follower)
        }
    }

    @Test func aClockThatIsSetBackBeginsAnew() {
        #expect(Self.line([(5, 1), (6, 2), (3, 3)]).count == 1)
        let one = Self.line([(5, 1), (6, 2), (5, 3), (6, 4), (7, 7)])
        #expect(ProvedMoments.relation(one, Self.line([(4, 1), (5, 1)])) == .unclear)
    }

    @Test func theVenueSidesOnlyWithWhomItNames() {
        let one = Self.line([(1, 1), (2, 2), (3, 3)])
        let other = Self.line([(1, 1), (2, 9), (3, 8)])
        func liar(_ time: Int64, _ name: Int) -> LagWatch.Late? {
            ProvedMoments.liar(leader: one, follower: other, fetched: Self.state(time, name))
        }
        #expect(liar(2, 2) == .follower && liar(3, 3) == .follower)
        #expect(liar(2, 9) == .leader && liar(3, 8) == .leader)
        #expect(liar(1, 1) == nil && liar(0, 5) == nil && liar(2, 5) == nil && liar(4, 5) == nil)
    }

    @Test func whoHasNotComeSoFarDeniesNothing() {
        let one = Self.line([(1, 1), (3, 3)])
        func liar(_ other: [(Int64, Int?)]) -> LagWatch.Late? {
            ProvedMoments.liar(leader: one, follower: Self.line(other), fetched: Self.state(3, 3))
        }
        #expect(liar([(1, 1), (2, 2)]) == nil)
        #expect(liar([(1, 1), (3, nil)]) == nil)
        #expect(liar([(4, 4)]) == nil, "it began after that moment")
        #expect(liar([(1, 1), (4, 4)]) == .follower)
        #expect(liar([]) == .follower)
        let past = ProvedMoments.liar(leader: one, follower: ProvedMoments(), fetched: Self.state(1, 1))
        #expect(past == nil, "who speaks against nobody is believed for the present alone")
    }
}
