import Shared
import Signing

/// Placing orders. Source: reference, 2.3 to 2.6, 4.3 to 4.6.
extension Desk {
    /// Orders of one `POST /orders`.
    static let batchCountMax = 15
    /// Orders whose owner is known; those that the engine has forgotten go first. The engine keeps fewer by itself.
    static let placementCountMax = 400_000

    /// Why an order does not reach the engine, or what the engine says of it.
    enum OrderProblem: Error, Hashable, Sendable {
        case invalidPayload
        case versionMismatch
        case foreignOwner
        case foreignSigner
        case invalidSignature
        case engine(EngineRefusal)

        var text: String {
            switch self {
            case .invalidPayload: EngineRefusal.invalidPayload.text
            case .versionMismatch: "order_version_mismatch"
            case .foreignOwner: "the order owner has to be the owner of the API KEY"
            case .foreignSigner: "the order signer address has to be the address of the API KEY"
            case .invalidSignature: "invalid signature"
            case .engine(let refusal): refusal.text
            }
        }

        var answer: Answer {
            if case .engine(let refusal) = self { return .refusal(refusal) }
            return .error(400, self.text)
        }
    }

    mutating func placeOrder(
        _ request: PageRequest, _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        let (headers, refusal) = self.charge(1, .orders, to: key.signer, at: time)
        if let refusal { return refusal }
        guard let body = try? JSONValue(parsing: request.body) else {
            return OrderProblem.invalidPayload.answer.with(headers)
        }
        do throws(OrderProblem) {
            let receipt = try self.place(body, key, at: time, engine: &engine)
            return Answer.json { Self.write(receipt, to: &$0) }.with(headers)
        } catch {
            self.audit.note(error)
            return error.answer.with(headers)
        }
    }

    mutating func placeOrders(
        _ request: PageRequest, _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        guard let bodies = (try? JSONValue(parsing: request.body))?.array, !bodies.isEmpty else {
            return OrderProblem.invalidPayload.answer
        }
        guard bodies.count <= Self.batchCountMax else {
            return .error(400, "Too many orders in payload: \(bodies.count), max allowed: \(Self.batchCountMax)")
        }
        let (headers, refusal) = self.charge(Int64(bodies.count), .orders, to: key.signer, at: time)
        if let refusal { return refusal }
        var results: [Result<OrderReceipt, OrderProblem>] = []
        for body in bodies {
            do throws(OrderProblem) {
                results.append(.success(try self.place(body, key, at: time, engine: &engine)))
            } catch {
                self.audit.note(error)
                results.append(.failure(error))
            }
        }
        // Where the mode forbids every one of them, the request itself is refused.
        if results.allSatisfy({ $0 == .failure(.engine(.postOnlyMode)) }) {
            return Answer.refusal(.postOnlyMode).with(headers)
        }
        return Answer.json { writer in
            writer.array { writer in
                for result in results {
                    switch result {
                    case .success(let receipt): Self.write(receipt, to: &writer)
                    case .failure(let problem): Self.write(problem, to: &writer)
                    }
                }
            }
        }.with(headers)
    }

    /// Places one order, if everything about it is right.
    private mutating func place(
        _ body: JSONValue, _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) throws(OrderProblem) -> OrderReceipt {
        let form: OrderForm
        do throws(OrderForm.Problem) {
            form = try OrderForm(body)
        } catch {
            throw error == .outdated ? .versionMismatch : .invalidPayload
        }
        guard form.owner == key.id else { throw .foreignOwner }
        guard let contract = Self.contract(of: form.message.token, engine.engine) else { throw .engine(.noOrderBook) }
        let hash = try self.check(form, contract, of: key.signer)
        guard let account = self.account(at: form.message.maker, of: key.signer, at: time, engine: &engine) else {
            throw .engine(.notInserted)
        }
        // Before it is placed, as others hear of its matches at once. An order that the engine knows keeps its owner; one that
        // was killed may be placed again, with another key too.
        self.prunePlacements(engine.engine)
        let known = engine.engine.order(hash) == nil ? nil : self.placements[hash]
        self.placements[hash] = known ?? Placement(owner: key.id, maker: form.message.maker)
        self.audit.noteReceived(hash, at: time)
        for event in engine.handle(.place(form.signed(hash, by: account)), at: time) {
            switch event.what {
            case .accepted(let receipt) where receipt.hash == hash: return receipt
            case .refused(hash, let refusal):
                // One that was killed is still told of.
                if known == nil && !refusal.isKill { self.placements[hash] = nil }
                throw .engine(refusal)
            default: break
            }
        }
        throw .engine(.notExecuted)
    }

    /// Which contract settles orders for a token; `nil` when it has no book.
    private static func contract(of token: TokenID, _ engine: MatchingEngine) -> ExchangeContract? {
        engine.place(of: token).map { engine.markets[$0.market].contract }
    }

    /// The hash of an order that its signer signed for funds of its own.
    private func check(
        _ form: OrderForm, _ contract: ExchangeContract, of signer: Address
    ) throws(OrderProblem) -> OrderHash {
        let message = form.message
        let isOwn = Signatures.isWallet(message.maker, of: signer, message.signatureType)
        switch message.signatureType {
        case .eoa, .polyProxy, .polyGnosisSafe:
            guard message.signer == signer else { throw .foreignSigner }
            guard isOwn else { throw .invalidSignature }
        case .poly1271: guard isOwn && message.signer == message.maker else { throw .foreignSigner }
        }
        guard let signature = form.signature else { throw .invalidSignature }
        let domain = contract.domain(on: self.settings.chain)
        if message.owner(by: signature, in: domain) == signer { return OrderHash(message.digest(in: domain)) }
        // Good for the next generation of exchanges, which this market is not of.
        let next = ExchangeDomain.of(.exchangeV3, on: self.settings.chain)
        throw message.owner(by: signature, in: next) == signer ? .versionMismatch : .invalidSignature
    }

    /// Forgets the owners of orders that the engine has forgotten, when there are too many.
    private mutating func prunePlacements(_ engine: MatchingEngine) {
        guard self.placements.count >= Self.placementCountMax else { return }
        self.placements = self.placements.filter { engine.order($0.key) != nil }
    }

    // MARK: Answers

    private static func write(_ receipt: OrderReceipt, to writer: inout JSONWriter) {
        writer.object {
            $0.key("success")
            $0.bool(true)
            $0.key("errorMsg")
            $0.string("")
            $0.key("orderID")
            $0.string(receipt.hash.description)
            $0.key("status")
            $0.string(receipt.status.rawValue)
            // Decimal amounts, and nothing at all without a match, as in practice.
            $0.key("makingAmount")
            if receipt.making > 0 { $0.decimalString(receipt.making) } else { $0.string("") }
            $0.key("takingAmount")
            if receipt.taking > 0 { $0.decimalString(receipt.taking) } else { $0.string("") }
            $0.key("tradeIDs")
            $0.array { for trade in receipt.trades { $0.string(trade.description) } }
            // Settlement comes later, and nobody knows the transaction before it.
            $0.key("transactionsHashes")
            $0.array { _ in }
        }
    }

    /// One of a batch that is not taken: it claims success all the same, as the venue's do, and has no id.
    private static func write(_ problem: OrderProblem, to writer: inout JSONWriter) {
        writer.object {
            $0.key("success")
            $0.bool(true)
            $0.key("errorMsg")
            $0.string(problem.text)
            $0.key("orderID")
            $0.string("")
            $0.key("status")
            $0.string("")
        }
    }

    // MARK: Limits

    /// Takes what a request costs its signer.
    ///
    /// - Returns: headers of its answer, and the answer itself when it is refused.
    mutating func charge(
        _ cost: Int64, _ kind: RateBudgets.Kind, to signer: Address, at time: Timestamp
    ) -> (headers: [Answer.Header], refusal: Answer?) {
        // As many as there are signers with keys, which are bounded.
        var budgets = self.budgets[signer] ?? RateBudgets(self.settings.tier, at: time)
        let isEnforced = self.settings.enforcesRateLimits
        let verdict = budgets.take(cost, kind, isEnforced: isEnforced, at: time)
        self.budgets[signer] = budgets
        let headers = budgets.headers(kind, isWarned: verdict.isOver && !isEnforced)
        guard verdict.isOver else { return (headers, nil) }
        self.audit.limitBreachCount += 1
        guard isEnforced else { return (headers, nil) }
        var refusal = Answer.error(429, "Too Many Requests").with(headers)
        refusal.retryAfter = verdict.retryAfter
        return (headers, refusal)
    }
}
