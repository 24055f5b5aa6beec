import Shared
import Testing

@testable import stratd

@Suite struct UserChannelTests {
    private func now(_ seconds: Int64) -> Instant { at(seconds * 1_000).instant }

    private func isWake(_ action: UserChannel.Action) -> Bool { if case .wake = action { true } else { false } }

    /// All but the wakes.
    private func steps(_ actions: [UserChannel.Action]) -> [UserChannel.Action] { actions.filter { !self.isWake($0) } }

    @Test func onlyAnAnsweredPingProvesTheCredentials() {
        var channel = UserChannel(seed: 1)
        #expect(self.steps(channel.handle(.started, now: self.now(0))) == [.connect])
        #expect(self.steps(channel.handle(.opened, now: self.now(1))) == [.authenticate] && !channel.isOpen)
        #expect(self.steps(channel.handle(.pong, now: self.now(2))) == [.tellOpen] && channel.isOpen)
        // Closed without a word, as the venue does with credentials that it does not know.
        var refused = UserChannel(seed: 1)
        _ = refused.handle(.started, now: self.now(0))
        _ = refused.handle(.opened, now: self.now(1))
        #expect(self.steps(refused.handle(.lost, now: self.now(1))) == [] && !refused.isOpen)
        #expect(self.steps(refused.handle(.woke, now: self.now(2))) == [.connect], "it is tried again")
    }

    @Test func itPingsAndEndsALineThatSaysNothing() {
        var channel = UserChannel(seed: 1)
        _ = channel.handle(.started, now: self.now(0))
        _ = channel.handle(.opened, now: self.now(0))
        _ = channel.handle(.pong, now: self.now(0))
        #expect(self.steps(channel.handle(.woke, now: self.now(9))) == [])
        #expect(self.steps(channel.handle(.woke, now: self.now(10))) == [.ping])
        _ = channel.handle(.heard, now: self.now(12))
        #expect(self.steps(channel.handle(.woke, now: self.now(20))) == [.ping])
        #expect(self.steps(channel.handle(.woke, now: self.now(30))) == [.ping])
        #expect(self.steps(channel.handle(.woke, now: self.now(37))) == [.close, .tellClosed] && !channel.isOpen)
    }

    @Test func whatNeverOpensIsGivenUpAndTriedLaterEachTime() {
        var channel = UserChannel(seed: 3)
        var time = self.now(0)
        _ = channel.handle(.started, now: time)
        var pauses: [Duration] = []
        for _ in 0..<12 {
            time = time + UserChannel.openTimeMax
            let actions = channel.handle(.woke, now: time)
            #expect(self.steps(actions) == [.close])
            guard case .wake(let next)? = actions.last else { return #expect(Bool(false), "\(actions)") }
            pauses.append(next - time)
            time = next
            #expect(self.steps(channel.handle(.woke, now: time)) == [.connect])
        }
        #expect(pauses[0] <= .milliseconds(500) && pauses.allSatisfy { $0 <= UserChannel.pauseMax })
        #expect(pauses.suffix(3).allSatisfy { $0 >= .seconds(15) })
    }

    @Test func lateAndDoubledWordsChangeNothing() {
        var channel = UserChannel(seed: 1)
        for event in [UserChannel.Event.opened, .pong, .heard, .lost, .woke] {
            #expect(channel.handle(event, now: self.now(0)) == [], "\(event) before the start")
        }
        _ = channel.handle(.started, now: self.now(0))
        #expect(channel.handle(.started, now: self.now(0)) == [])
        _ = channel.handle(.lost, now: self.now(0))
        for event in [UserChannel.Event.opened, .pong, .heard, .lost, .started] {
            #expect(channel.handle(event, now: self.now(0)) == [], "\(event) while it waits")
        }
    }
}
