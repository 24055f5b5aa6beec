import Shared

/// Cancels and heartbeats. Source: reference, 2.3 and 2.8.
extension Desk {
    /// Ids of one `DELETE /orders`: the stricter of two documents.
    static let cancelCountMax = 1_000

    mutating func cancelOrder(
        _ request: PageRequest, _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        let id = (try? JSONValue(parsing: request.body))?["orderID"]?.string
        guard let hash = id.flatMap({ OrderHash($0) }) else { return .error(400, "Invalid order id") }
        return self.cancel([hash], key, at: time, engine: &engine)
    }

    mutating func cancelOrders(
        _ request: PageRequest, _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        guard let ids = (try? JSONValue(parsing: request.body))?.array else {
            return .error(400, "Invalid order payload")
        }
        guard ids.count <= Self.cancelCountMax else {
            return .error(400, "Too many orders in payload: \(ids.count), max allowed: \(Self.cancelCountMax)")
        }
        let hashes = ids.compactMap { $0.string.flatMap { OrderHash($0) } }
        guard hashes.count == ids.count else { return .error(400, "Invalid order id") }
        return self.cancel(hashes, key, at: time, engine: &engine)
    }

    /// Cancels these orders as far as they are of the key's signer; an id given twice counts once, and costs twice.
    private mutating func cancel(
        _ hashes: [OrderHash], _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        let (headers, refusal) = self.charge(Int64(hashes.count), .cancels, to: key.signer, at: time)
        if let refusal { return refusal }
        let own = self.accounts.accounts(of: key.signer)
        var seen: Set<OrderHash> = []
        var hashesByAccount: [AccountID: [OrderHash]] = [:]
        var receipt = CancelReceipt()
        for hash in hashes where seen.insert(hash).inserted {
            if let account = Self.account(of: hash, engine.engine), own.contains(account) {
                hashesByAccount[account, default: []].append(hash)
            } else {
                receipt.kept.append(CancelReceipt.Kept(hash: hash, reason: .notFound))
            }
        }
        for (account, hashes) in hashesByAccount.sorted(by: { $0.key < $1.key }) {
            receipt.add(engine.handle(.cancel(account, hashes), at: time))
        }
        return Self.answer(receipt).with(headers)
    }

    private static func account(of hash: OrderHash, _ engine: MatchingEngine) -> AccountID? {
        engine.order(hash)?.signed.account
    }

    /// Cancels all orders of the key's signer, or those of a market or token. What it costs is known only afterwards.
    mutating func cancelMany(
        _ route: DeskRoute, _ request: PageRequest, _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        var condition: ConditionID?
        var token: TokenID?
        if route == .cancelMarketOrders {
            let body = request.body.isEmpty ? .null : try? JSONValue(parsing: request.body)
            guard let body, body == .null || body.object != nil,
                let market = Self.optional(body["market"], { ConditionID($0) }),
                let asset = Self.optional(body["asset_id"], { TokenID($0) })
            else { return .error(400, "Invalid order payload") }
            (condition, token) = (market, asset)
        }
        let (_, refusal) = self.charge(1, .cancels, to: key.signer, at: time)
        if let refusal { return refusal }
        var receipt = CancelReceipt()
        for account in self.accounts.accounts(of: key.signer) {
            let request =
                route == .cancelAll ? EngineRequest.cancelAll(account) : .cancelMarket(account, condition, token)
            receipt.add(engine.handle(request, at: time))
        }
        self.budgets[key.signer]?.takeLate(Int64(receipt.canceled.count))
        return Self.answer(receipt).with(self.budgets[key.signer]?.headers(.cancels, isWarned: false) ?? [])
    }

    /// The value of a member that may be empty or absent; `nil` when it is there and wrong.
    private static func optional<Value>(_ member: JSONValue?, _ read: (String) -> Value?) -> Value?? {
        guard let member else { return .some(nil) }
        guard let text = member.string else { return nil }
        guard !text.isEmpty else { return .some(nil) }
        return read(text).map { .some($0) }
    }

    private static func answer(_ receipt: CancelReceipt) -> Answer {
        .json {
            $0.object {
                $0.key("canceled")
                $0.array { for hash in receipt.canceled { $0.string(hash.description) } }
                $0.key("not_canceled")
                $0.object { writer in
                    for kept in receipt.kept {
                        writer.key(dynamic: kept.hash.description)
                        writer.string(kept.reason.rawValue)
                    }
                }
            }
        }
    }

    // MARK: Heartbeats

    mutating func takeHeartbeat(_ request: PageRequest, _ key: APIKey, at time: Timestamp) -> Answer {
        guard !self.availability.refusesHeartbeats(at: time) else {
            self.audit.refusedHeartbeatCount += 1
            return .error(503, "heartbeats are not taken for now")
        }
        // Left out and null are as good as empty.
        guard let body = try? JSONValue(parsing: request.body), body.object != nil,
            let id = body["heartbeat_id"] == nil ? "" : body["heartbeat_id"]?.string,
            id.utf8.count <= Heartbeats.idByteCountMax
        else {
            self.audit.refusedHeartbeatCount += 1
            return .error(400, "Invalid order payload")
        }
        let expectedID = self.heartbeats.expectedID(key.id)
        let nextID = UUIDText.make((self.random.next(), self.random.next()))
        guard self.heartbeats.accept(id, from: key.id, nextID: nextID, at: time) else {
            self.audit.refusedHeartbeatCount += 1
            return .json(status: 400) {
                $0.object {
                    $0.key("error_msg")
                    $0.string("Invalid Heartbeat ID")
                    $0.key("heartbeat_id")
                    $0.string(expectedID)
                }
            }
        }
        self.audit.heartbeatCount += 1
        return .json {
            $0.object {
                $0.key("heartbeat_id")
                $0.string(nextID)
            }
        }
    }
}

extension CancelReceipt {
    /// Adds what the engine says to a further cancellation.
    fileprivate mutating func add(_ events: [EngineEvent]) {
        for case .canceled(let receipt) in events.map(\.what) {
            self.canceled += receipt.canceled
            self.kept += receipt.kept
        }
    }
}
