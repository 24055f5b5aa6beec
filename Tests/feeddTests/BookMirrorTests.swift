import Shared
import Testing

@testable import feedd

/// The two outcomes of a market tell one book. Where they contradict each other it is not believed.
@Suite struct BookMirrorTests {
    private var venue = VenueModel()
    private var driver = BuilderDriver()

    init() throws {
        _ = self.venue.operate([.init(.bid, "0.48", 100), .init(.bid, "0.47", 5), .init(.ask, "0.52", 7)])
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time += 1
    }

    private static let otherHash = "8182cc8b57d17f795809322ec7315452325e5a5e"

    @Test mutating func aMessageThatContradictsItselfIsNotBelieved() throws {
        let text = self.venue.operate(.bid, "0.46", 5)
        let broken = text.replacing(#""price":"0.54","size":"5""#, with: #""price":"0.54","size":"6""#)
        #expect(broken != text)
        #expect(try self.driver.take(broken) == [.distrusted(.mirror)])
        #expect(self.driver.builder.counters.mirrorsBroken == 1)
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
        #expect(self.driver.builder.epoch == 2)
    }

    /// The first outcome's hash is right: nothing but the second's tells that the books differ.
    @Test mutating func theSecondOutcomesHashIsComparedToo() throws {
        let text = self.venue.operate(.bid, "0.46", 5)
        let broken = text.replacing(self.venue.hash(outcome: 1).description, with: Self.otherHash)
        #expect(broken != text)
        #expect(try self.driver.take(broken) == [.distrusted(.mirror)])
    }

    @Test mutating func theSecondOutcomesHashIsComparedForOneOperationOfSixteen() throws {
        for size in Int64(1)...33 {
            self.venue.time += 1
            #expect(try self.driver.take(self.venue.operate(.bid, "0.46", size)) == [.delta])
        }
        #expect(self.driver.builder.counters.mirrorsChecked == 3)
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.4", 1)
        // A new snapshot is compared with what follows at once.
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
        #expect(try self.driver.take(self.venue.operate(.bid, "0.46", 40)) == [.delta])
        #expect(self.driver.builder.counters.mirrorsChecked == 4)
    }

    @Test mutating func betweenTwoMessagesOfOneOperationNothingContradicts() throws {
        let changes: [LevelChange] = [.init(.bid, "0.46", 5), .init(.ask, "0.6", 3)]
        _ = self.venue.operate(changes)
        // Each outcome is told for itself, and each level too.
        #expect(try self.driver.take(self.venue.changeText([changes[0]], outcomes: [1])) == [.delta])
        #expect(!self.driver.builder.isSettled)
        #expect(try self.driver.take(self.venue.changeText([changes[1]], outcomes: [0])) == [.delta])
        #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
        #expect(try self.driver.take(self.venue.changeText([changes[0]], outcomes: [0])) == [.unchanged])
        #expect(try self.driver.take(self.venue.changeText([changes[1]], outcomes: [1])) == [.unchanged])
        #expect(self.driver.builder.counters.mirrorsBroken == 0 && self.driver.builder.counters.mismatched == 0)
    }

    @Test mutating func theOutcomesOfOneMessageMayNameDifferentLevels() throws {
        let changes: [LevelChange] = [.init(.bid, "0.46", 5), .init(.ask, "0.6", 3)]
        _ = self.venue.operate(changes)
        let first = self.venue.changeText([changes[0]], outcomes: [0])
        let second = self.venue.changeText([changes[1]], outcomes: [1])
        let entry = try #require(second.split(separator: "[").last?.split(separator: "]").first)
        let both = first.replacing("]}", with: ",\(entry)]}")
        #expect(try self.driver.take(both) == [.delta])
        #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
    }

    @Test mutating func pairsMayStandApart() throws {
        let changes: [LevelChange] = [.init(.bid, "0.46", 5), .init(.ask, "0.6", 3), .init(.bid, "0.45", 2)]
        _ = self.venue.operate(changes)
        let texts = [0, 1].map { self.venue.changeText(changes, outcomes: [$0]) }
        let entries = try #require(texts[1].split(separator: "[").last?.split(separator: "]").first)
        let text = texts[0].replacing("]}", with: ",\(entries)]}")
        #expect(try self.driver.take(text) == [.delta])
        #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
        let broken = text.replacing(#""price":"0.4","size":"3""#, with: #""price":"0.4","size":"30""#)
        #expect(broken != text)
        #expect(try self.driver.take(broken) == [.distrusted(.mirror)])
    }

    @Test(arguments: [0, 1])
    mutating func theOtherOutcomesBookOfTheSameTimeMustBeTheMirror(first: Int) throws {
        try self.driver.take(self.venue.operate(.bid, "0.46", 5))
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.45", 5)
        let one = self.venue.bookText(outcome: first)
        // The venue tells something else of the other outcome, and hashed that.
        _ = self.venue.operate(.bid, "0.45", 6)
        #expect(try self.driver.take(one) == [.snapshot])
        #expect(try self.driver.take(self.venue.bookText(outcome: 1 - first)) == [.distrusted(.mirror)])
        #expect(try self.driver.take(self.venue.bookText(outcome: 1 - first)) == [.snapshot])
    }

    @Test mutating func aLaterBookOfTheOtherOutcomeIsASnapshotAsAnyOther() throws {
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.45", 6)
        #expect(try self.driver.take(self.venue.bookText(outcome: 1)) == [.snapshot])
        #expect(self.driver.picture == BuilderDriver.picture(self.venue.book))
    }
}
