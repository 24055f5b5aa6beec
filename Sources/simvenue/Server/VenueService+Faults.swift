import NIOCore
import Shared

/// Faults asked for, by people at `/control` or by the script.
extension VenueService {
    func control(_ body: [UInt8], at time: Int64) -> Answer {
        do throws(FaultProblem) {
            let order = try FaultOrder(parsing: body)
            if let problem = self.perform(order, from: .control, at: time) { return .error(409, problem.sentence) }
        } catch {
            return .error(400, error.sentence)
        }
        self.reschedule()
        return .json {
            $0.object {
                $0.key("ok")
                $0.bool(true)
            }
        }
    }

    /// - Returns: why nothing was done.
    func perform(_ order: FaultOrder, from source: Audit.Source, at time: Int64) -> FaultProblem? {
        var problem: FaultProblem?
        do throws(FaultProblem) { try self.perform(order.fault, at: time) } catch { problem = error }
        self.audit.note(order, from: source, at: time, problem: problem?.sentence)
        return problem
    }

    private func perform(_ fault: Fault, at time: Int64) throws(FaultProblem) {
        switch fault {
        case .drop(nil): for subscriber in self.subscribers { subscriber.cutOff() }
        case .drop(let code?): for subscriber in self.subscribers { subscriber.close(code: code) }
        case .reset: for subscriber in self.subscribers { subscriber.reset() }
        case .restart(let seconds):
            self.listener?.leave(for: .seconds(seconds))
            self.listener?.endConnections()
        case .refuseConnections(let seconds): self.listener?.leave(for: .seconds(seconds))
        case .refuseUpgrades(let seconds): self.refusesUpgradesUntil = time + seconds * 1_000
        case .withholdBooks(let seconds): self.booksWithheldUntil = time + seconds * 1_000
        case .silence(let seconds, let answersPings): self.silence = (time + seconds * 1_000, answersPings)
        case .lie(let seconds, let market):
            let slot = try self.slot(market)
            for subscriber in self.subscribers { subscriber.lie = (time + seconds * 1_000, slot) }
        case .dropPrices(nil): for subscriber in self.priceSubscribers { subscriber.cutOff() }
        case .dropPrices(let code?): for subscriber in self.priceSubscribers { subscriber.close(code: code) }
        case .silencePrices(let seconds): self.pricesSilentUntil = time + seconds * 1_000
        case .dropUsers(nil): for subscriber in self.userSubscribers { subscriber.cutOff() }
        case .dropUsers(let code?): for subscriber in self.userSubscribers { subscriber.close(code: code) }
        case .refuseUsers(let seconds): self.usersRefusedUntil = time + seconds * 1_000
        case .silenceUsers(let seconds): self.userSilentUntil = time + seconds * 1_000
        case .delta(let fault):
            guard self.deltaFaults.add(fault, slot: try self.slot(fault.market)) else {
                throw FaultProblem("\(DeltaFaults.waitingCountMax) faults wait for deltas already; heal forgets them")
            }
        case .frame(let frame): self.send(frame, to: self.subscribers)
        case .request(let fault):
            guard self.requestFaults.add(fault) else {
                throw FaultProblem(
                    "\(RequestFaults.waitingCountMax) faults wait for requests already; heal forgets them")
            }
        case .staleBooks(let kind, let seconds):
            self.staleListing = (time + seconds * 1_000, self.stale(kind, at: time))
        case .changeTick(let tick, let market): try self.force(.changeTick(tick, slot: try self.slot(market)))
        case .resolve(let winner, let market): try self.force(.resolve(winner: winner, slot: try self.slot(market)))
        case .listMarket: try self.force(.list)
        case .skewClock(let skew):
            try self.force(.skewClock(skew))
            self.clockSkew = skew
            self.desk.clockSkew = .milliseconds(skew)
        case .pauseTraffic(let seconds): self.pause(seconds: seconds, at: time)
        case .resume: self.resume(at: time)
        case .desk(let fault): try self.perform(fault, at: time)
        case .heal: self.heal(at: time)
        case .only(let fault, let connection): try self.perform(fault, of: connection, at: time)
        case .awaitSubscription: throw FaultProblem("only a script can wait")
        }
    }

    /// What happens to one connection of the market channel.
    private func perform(_ fault: Fault, of connection: Int, at time: Int64) throws(FaultProblem) {
        guard connection <= self.subscribers.count else {
            throw FaultProblem("the market channel has \(self.subscribers.count) connections")
        }
        let subscriber = self.subscribers[connection - 1]
        switch fault {
        case .drop(nil): subscriber.cutOff()
        case .drop(let code?): subscriber.close(code: code)
        case .reset: subscriber.reset()
        case .silence(let seconds, let answersPings): subscriber.silence = (time + seconds * 1_000, answersPings)
        case .lie(let seconds, let market): subscriber.lie = (time + seconds * 1_000, try self.slot(market))
        case .delta(let fault):
            guard subscriber.deltaFaults.add(fault, slot: try self.slot(fault.market)) else {
                throw FaultProblem("\(DeltaFaults.waitingCountMax) faults wait for deltas already; heal forgets them")
            }
        case .frame(let frame): self.send(frame, to: [subscriber])
        default: preconditionFailure("the table lets no other fault happen to one connection")
        }
    }

    private func heal(at time: Int64) {
        for subscriber in self.subscribers {
            subscriber.silence = (time, false)
            subscriber.deltaFaults.heal(at: time)
            subscriber.lie = nil
        }
        self.refusesUpgradesUntil = time
        self.booksWithheldUntil = time
        self.silence = (time, false)
        self.pricesSilentUntil = time
        self.userSilentUntil = time
        self.usersRefusedUntil = time
        self.staleListing = nil
        self.deltaFaults.heal(at: time)
        self.requestFaults.heal()
        self.healDesk(at: time)
        // A core whose clock cannot be wrong has nothing to heal.
        _ = self.core.force(.skewClock(0))
        self.clockSkew = 0
        self.desk.clockSkew = .zero
    }

    private func force(_ event: ForcedEvent) throws(FaultProblem) {
        if let problem = self.core.force(event) { throw FaultProblem(problem) }
    }

    /// The market that goes by `name`; `nil` for none in particular.
    private func slot(_ name: String?) throws(FaultProblem) -> Int? {
        guard let name else { return nil }
        let listing = self.core.listing
        let slot =
            listing.slot(slug: name) ?? ConditionID(name).flatMap { listing.slot(of: $0) }
            ?? TokenID(name).flatMap { listing.place(of: $0)?.slot }
        guard let slot else { throw FaultProblem("no market here goes by '\(name)'") }
        return slot
    }

    /// Sent to all who subscribed to anything, whatever waits before it.
    private func send(_ frame: OddFrame, to subscribers: [MarketSubscriber]) {
        let bytes = frame.bytes
        var buffer = self.allocator.buffer(capacity: bytes.count + 10)
        bytes.withUnsafeBytes { TextFrame.write($0, to: &buffer) }
        for subscriber in subscribers where subscriber.subscriptions.count > 0 {
            subscriber.send(buffer, at: self.time, isBounded: false)
        }
    }

    /// The venue as its book pages are to show it.
    private func stale(_ kind: StaleBooks, at time: Int64) -> MarketRegister {
        var listing = self.core.listing
        guard kind == .placeholder else { return listing }
        var hasher = BookHasher()
        for slot in listing.order {
            listing[slot].book.removeAll()
            for (side, price) in [(BookSide.bid, Price(micros: 10_000)), (.ask, Price(micros: 990_000))] {
                if let price { _ = listing[slot].book.set(side, price, Quantity(shares: 1_000)) }
            }
            listing[slot].seal(at: time + self.clockSkew, hasher: &hasher)
        }
        return listing
    }
}
