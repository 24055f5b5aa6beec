import Shared
import Testing

@Suite struct OrderTests {
    @Test func onlyFinalStatesAreFinished() {
        let finished = OrderState.allCases.filter(\.isFinished)
        #expect(finished == [.filled, .cancelled, .rejected, .expired])
        // What nobody answered may still trade.
        #expect(!OrderState.unknown.isFinished && !OrderState.cancelling.isFinished)
    }

    @Test func sidesHaveOpposites() {
        #expect(TradeSide.buy.opposite == .sell && TradeSide.sell.opposite == .buy)
        #expect(BookSide.bid.opposite == .ask && BookSide.ask.opposite == .bid)
    }
}
