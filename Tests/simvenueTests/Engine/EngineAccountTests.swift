import Shared
import Testing

@testable import simvenue

/// Balances, reservations, allowances and fees. Source: reference, 2.6, 2.7, 2.10 and 6.2.
struct EngineAccountTests {
    private let sentence = "not enough balance / allowance"

    @Test func openOrdersReserveAndShareABalance() {
        var story = EngineStory()
        let first = story.place(0, .buy, 0, "1200", at: "0.5")
        #expect(story.reserved(0) == "600")
        story.place(0, .buy, 1, "1000", at: "0.4")
        #expect(story.reserved(0) == "1000")
        story.place(0, .buy, 0, "5", at: "0.01")
        #expect(story.refusal == self.sentence)
        story.ask(.cancel(AccountID(index: 0), [first]))
        story.place(0, .buy, 0, "5", at: "0.01")
        #expect(story.receipt?.status == .live)
        #expect(story.reserved(0) == "400.05")
        #expect(story.money(0) == "1000")
    }

    @Test func aSaleReservesItsShares() {
        var story = EngineStory()
        story.place(0, .sell, 0, "10", at: "0.5")
        #expect(story.refusal == self.sentence)
        story.split(0, 15)
        story.place(0, .sell, 0, "10", at: "0.5")
        story.place(0, .sell, 0, "10", at: "0.6")
        #expect(story.refusal == self.sentence)
        story.place(0, .sell, 1, "15", at: "0.6")
        #expect(story.receipt?.status == .live)
    }

    @Test func whenTheBalanceIsGoneTheLatestOrdersGo() {
        var story = EngineStory()
        let orders = (0..<4).map { _ in story.place(0, .buy, 0, "500", at: "0.5") }
        story.ask(.withdraw(AccountID(index: 0), Money(micros: micros("400"))))
        #expect(
            story.notices == ["CANCELLATION CANCELED_NOT_ENOUGH_BALANCE", "CANCELLATION CANCELED_NOT_ENOUGH_BALANCE"])
        #expect(orders.map { story.status($0) == "LIVE" } == [true, true, false, false])
        #expect((story.money(0), story.reserved(0)) == ("600", "500"))
        #expect(story.levels(.bid) == ["0.5×1000"])
        story.split(0, 400)
        #expect(story.status(orders[1]) == "CANCELED_NOT_ENOUGH_BALANCE")
        #expect(story.reserved(0) == "0")
        let sale = story.place(0, .sell, 0, "400", at: "0.9")
        story.ask(.merge(AccountID(index: 0), story.market.condition, Quantity(shares: 1)))
        #expect(story.status(sale) == "CANCELED_NOT_ENOUGH_BALANCE")
        story.ask(.withdraw(AccountID(index: 0), Money(micros: micros("202"))))
        #expect(story.commandRefusal == .notEnough)
    }

    @Test func allowancesCountPerContractAndAreUsedUp() {
        var story = EngineStory()
        let account = AccountID(index: 0)
        story.ask(.approve(account, .standard, Approval(money: Money(micros: micros("10")), movesShares: false)))
        story.place(0, .buy, 0, "22", at: "0.5")
        #expect(story.refusal == self.sentence)
        let order = story.place(0, .buy, 0, "16", at: "0.5")
        #expect(story.receipt?.status == .live)
        story.place(0, .buy, 0, "5", at: "0.5")
        #expect(story.refusal == self.sentence)
        story.place(1, .buy, 1, "10", at: "0.5")
        #expect(story.engine.accounts[0].approval(.standard).money == Money(micros: micros("5")))
        let trade = story.trades[0].id
        // What fails was not used.
        story.ask(.fail(trade))
        #expect(story.engine.accounts[0].approval(.standard).money == Money(micros: micros("10")))
        story.ask(.approve(account, .standard, .none))
        #expect(story.status(order) == "CANCELED_NOT_ENOUGH_BALANCE")
        story.split(0, 10)
        story.place(0, .sell, 0, "10", at: "0.5")
        #expect(story.refusal == self.sentence)
        #expect(story.engine.accounts[1].approval(.standard) == .unlimited)
    }

    @Test func negativeRiskMarketsAskForTheirOwnApproval() {
        var story = EngineStory(market: engineMarket(isNegRisk: true))
        story.ask(.approve(AccountID(index: 0), .negRisk, .none))
        story.place(0, .buy, 0, "10", at: "0.5")
        #expect(story.refusal == self.sentence)
        story.ask(.approve(AccountID(index: 0), .negRisk, .unlimited))
        story.ask(.approve(AccountID(index: 0), .standard, .none))
        story.place(0, .buy, 0, "10", at: "0.5")
        #expect(story.receipt?.status == .live)
    }

    // MARK: Fees

    /// 100 × 0.07 × 0.25 and 100 × 0.07 × 0.09: the reference's examples.
    @Test(arguments: [("0.5", "1.75"), ("0.9", "0.63")])
    func aBuyerPaysTheFeeOnTopAndAMakerNone(price: String, fee: String) {
        var story = EngineStory(market: engineMarket(feeRate: 70_000))
        story.split(0, 100)
        story.place(0, .sell, 0, "100", at: price)
        story.place(1, .buy, 0, "100", at: price)
        #expect(story.trades[0].fee.description == fee)
        story.wait(milliseconds: 10_000)
        let cost = Quantity(shares: 100).notional(at: Price(decimal: price)!)
        #expect(story.money(1) == (Money(micros: micros("1000") - micros(fee)) - cost).description)
        #expect(story.money(0) == (Money(micros: micros("900")) + cost).description)
        #expect(story.engine.fees.description == fee)
    }

    @Test func aSellerPaysTheFeeOutOfTheProceeds() {
        var story = EngineStory(market: engineMarket(feeRate: 70_000))
        story.split(0, 100)
        story.place(1, .buy, 0, "100", at: "0.5")
        story.place(0, .sell, 0, "100", at: "0.5")
        story.wait(milliseconds: 10_000)
        #expect((story.money(0), story.money(1)) == ("948.25", "950"))
        #expect(story.shares(1) == "100")
    }

    @Test func aFeeIsRoundedUpToFiveDecimals() {
        var story = EngineStory(market: engineMarket(feeRate: 70_000))
        story.split(0, 100)
        story.place(0, .sell, 0, "5.01", at: "0.33")
        story.place(1, .buy, 0, "5.01", at: "0.33")
        // 5.01 × 0.07 × 0.33 × 0.67 = 0.07753977
        #expect(story.trades[0].fee.description == "0.07754")
    }

    @Test func aBuyMustAffordItsFeeToo() {
        var story = EngineStory(market: engineMarket(feeRate: 70_000))
        story.split(0, 900)
        story.place(0, .sell, 0, "600", at: "0.5")
        story.ask(.withdraw(AccountID(index: 1), Money(micros: micros("700"))))
        // 300 for the shares and 10.5 for the fee.
        story.place(1, .buy, 0, "600", at: "0.5")
        #expect(story.refusal == self.sentence)
        #expect(story.levels(.ask) == ["0.5×600"])
        #expect(story.reserved(1) == "0")
        story.ask(.deposit(AccountID(index: 1), Money(micros: micros("10.5"))))
        story.place(1, .buy, 0, "600", at: "0.5")
        #expect(story.receipt?.status == .matched)
        #expect(story.money(1) == "0")
    }

    @Test func aBuyMustAffordItsRestToo() {
        var story = EngineStory(market: engineMarket(feeRate: 70_000))
        story.split(0, 900)
        story.place(0, .sell, 0, "300", at: "0.5")
        story.ask(.withdraw(AccountID(index: 1), Money(micros: micros("700"))))
        // 150 for the shares, 5.25 for the fee, and 150 for what would rest.
        story.place(1, .buy, 0, "600", at: "0.5")
        #expect(story.refusal == self.sentence)
        story.ask(.deposit(AccountID(index: 1), Money(micros: micros("5.25"))))
        story.place(1, .buy, 0, "600", at: "0.5")
        #expect(story.receipt?.status == .matched)
        #expect((story.money(1), story.reserved(1)) == ("150", "150"))
    }

    @Test func aSaleNeverPaysMoreFeeThanItEarns() {
        var story = EngineStory(market: engineMarket(tick: 1_000, feeRate: 70_000))
        story.split(2, 10)
        story.place(0, .buy, 0, "5.01", at: "0.499")
        // Leaves 0.00002 shares of the bid, worth 9 millionths; the least fee is 10.
        story.place(1, .buy, 1, maker: micros("2.51"), taker: micros("5.0099"), .fok)
        #expect(story.levels(.bid) == ["0.499×0.00002"])
        story.place(2, .sell, 0, "0.01", at: "0.499", .fak)
        #expect(story.trades.map(\.fee) == [Money(micros: 9)])
        story.wait(milliseconds: 10_000)
        #expect((story.money(2), story.shares(2)) == ("990", "9.99998"))
        #expect(EngineAudit.problem(in: story.engine) == nil)
    }

    @Test func aDelayedOrderThatCannotAffordItsFeeEndsForThat() {
        var story = EngineStory(market: engineMarket(feeRate: 70_000, hasTakerDelay: true))
        story.split(0, 900)
        story.place(0, .sell, 0, "600", at: "0.5")
        story.ask(.withdraw(AccountID(index: 1), Money(micros: micros("700"))))
        let order = story.place(1, .buy, 0, "600", at: "0.5")
        #expect(story.receipt?.status == .delayed)
        story.wait(milliseconds: 150)
        #expect(story.status(order) == "CANCELED_NOT_ENOUGH_BALANCE")
        #expect(story.engine.accounts[1].openOrders.isEmpty)
    }

    // MARK: Commands

    @Test func commandsThatCannotBeSayWhy() {
        var story = EngineStory()
        let (nobody, owner) = (AccountID(index: 99), AccountID(index: 0))
        let cases: [(EngineRequest, CommandRefusal)] = [
            (.deposit(nobody, Money(micros: 1)), .unknownAccount), (.cancelAll(nobody), .unknownAccount),
            (.cancelAll(AccountID(index: -1)), .unknownAccount), (.deposit(owner, .zero), .badAmount),
            (.deposit(owner, Money(micros: .max)), .badAmount), (.withdraw(owner, Money(micros: -1)), .badAmount),
            (.split(owner, engineMarket(3).condition, Quantity(shares: 1)), .unknownMarket),
            (.merge(owner, engineMarket().condition, Quantity(shares: 1)), .notEnough),
            (.approve(owner, .standard, Approval(money: Money(micros: -1), movesShares: true)), .badAmount),
            (.list(engineMarket()), .alreadyListed), (.clear(engineMarket(3).condition), .unknownMarket),
            (.fail(TradeID(random: (1, 2))), .unknownTrade),
        ]
        for (request, refusal) in cases {
            story.ask(request)
            #expect(story.commandRefusal == refusal, "\(request)")
        }
        #expect(EngineAudit.problem(in: story.engine) == nil)
    }
}
