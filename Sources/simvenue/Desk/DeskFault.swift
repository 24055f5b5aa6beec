import Shared
import Signing

/// What may go wrong for traders, as asked for at `POST /control` or by a script.
enum DeskFault: Hashable, Sendable {
    /// Seconds of 425, then of post-only.
    case engineRestart(seconds: Int64, postOnlySeconds: Int64)
    case cancelOnly(seconds: Int64)
    case disableTrading(seconds: Int64)
    case geoblock(seconds: Int64)
    case refuseHeartbeats(seconds: Int64)
    case stalePositions(seconds: Int64, isTold: Bool)
    /// `nil` for all orders of the desk's accounts.
    case cancelByVenue(OrderHash?)
    /// All pUSD leaves the account of that address.
    case balanceGone(Address)
    /// The account of that address lets no exchange move its shares.
    case revokeShares(Address)
    /// `seconds` of trades, or the next one.
    case settlement(isFinal: Bool, seconds: Int64?)
    case standing(Address, AccountStanding)
}

extension Desk {
    /// Makes it happen.
    ///
    /// - Returns: why nothing was done.
    mutating func perform(
        _ fault: DeskFault, at time: Timestamp, engine: inout some EngineAccess
    ) throws(FaultProblem) {
        self.advance(to: time, engine: &engine)
        switch fault {
        case .engineRestart(let seconds, let postOnlySeconds):
            let phase = Availability.Phase.restarting(
                until: time + .seconds(seconds), postOnly: .seconds(postOnlySeconds))
            self.begin(phase, at: time, engine: &engine)
        case .cancelOnly(let seconds):
            self.begin(.cancelOnly(until: time + .seconds(seconds)), at: time, engine: &engine)
        case .disableTrading(let seconds):
            self.begin(.disabled(until: time + .seconds(seconds)), at: time, engine: &engine)
        case .geoblock(let seconds): self.availability.geoblock(until: time + .seconds(seconds))
        case .refuseHeartbeats(let seconds): self.availability.refuseHeartbeats(until: time + .seconds(seconds))
        case .stalePositions(let seconds, let isTold):
            self.stalePositions(from: time, for: seconds, isTold: isTold, engine.engine)
        case .cancelByVenue(let hash?):
            let events = engine.handle(.cancelByVenue(hash), at: time)
            for case .commandRefused(let refusal) in events.map(\.what) { throw FaultProblem(refusal.rawValue) }
        case .cancelByVenue(nil):
            for owned in self.accounts.all { _ = engine.handle(.cancelAll(owned.account), at: time) }
        case .balanceGone(let address):
            let account = try self.account(at: address)
            let money = engine.engine.accounts[account.index].money
            if money > .zero { _ = engine.handle(.withdraw(account, money), at: time) }
        case .revokeShares(let address):
            let account = try self.account(at: address)
            for contract in ExchangeContract.allCases {
                var approval = engine.engine.accounts[account.index].approval(contract)
                approval.movesShares = false
                _ = engine.handle(.approve(account, contract, approval), at: time)
            }
        case .settlement(let isFinal, let seconds):
            self.troubles.plan(isFinal: isFinal, until: seconds.map { time + .seconds($0) })
        case .standing(let address, let standing):
            let accounts = try self.accounts(near: address)
            for account in accounts { _ = engine.handle(.setStanding(account, standing), at: time) }
        }
    }

    /// Ends what lasts. Who is banned stays so.
    mutating func heal(at time: Timestamp, engine: inout some EngineAccess) {
        self.changePhase(at: time, engine: &engine) { $0.heal() }
        self.troubles.heal()
        self.stalePositions = nil
    }

    /// A phase that takes no time ends the one before it.
    private mutating func begin(_ phase: Availability.Phase, at time: Timestamp, engine: inout some EngineAccess) {
        self.changePhase(at: time, engine: &engine) {
            $0.begin(phase)
            $0.advance(to: time)
        }
    }

    private func account(at address: Address) throws(FaultProblem) -> AccountID {
        guard let account = self.accounts.account(of: address) else {
            throw FaultProblem("no account here has the address \(address)")
        }
        return account
    }

    /// The account of an address, or all accounts of a signer.
    private func accounts(near address: Address) throws(FaultProblem) -> [AccountID] {
        let own = self.accounts.accounts(of: address)
        return own.isEmpty ? [try self.account(at: address)] : own
    }
}
