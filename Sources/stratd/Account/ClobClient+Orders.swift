import DaemonKit
import Shared
import Signing

/// Orders and trades. Source: reference, 2.3, 2.6 and 4.5.
extension ClobClient {
    /// Places orders, each of them once: nothing is tried again here.
    ///
    /// - Parameters:
    ///   - orders: 1...15 signed orders, as `body` gives them.
    /// - Returns: what became of each, in the same order.
    func place(
        _ orders: [[UInt8]], _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> [OrderDesk.Placement] {
        guard orders.count > 1 else {
            do throws(ClobFailure) {
                return [Self.placement(try await self.ask(.post, "/order", body: orders[0], credentials, now: now))]
            } catch {
                // Of one order the venue says so with the request's own status.
                guard case .refused(_, let text) = error else { throw error }
                return [.refused(text)]
            }
        }
        let body = [UInt8(ascii: "[")] + orders.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
        let answer = try await self.ask(.post, "/orders", body: body, credentials, now: now)
        return try Self.placements(answer, count: orders.count)
    }

    /// What the answer to a batch of so many orders says of each. One that cannot be made out says nothing of the others.
    static func placements(_ answer: JSONValue, count: Int) throws(ClobFailure) -> [OrderDesk.Placement] {
        guard let answers = answer.array, answers.count == count else {
            throw .malformed("/orders does not answer for each order")
        }
        return answers.map(Self.placement)
    }

    /// A leg of a batch may claim success and be none: an id and a known word alone tell of an order that was taken.
    private static func placement(_ answer: JSONValue) -> OrderDesk.Placement {
        let text = answer["errorMsg"]?.string ?? answer["error"]?.string ?? ""
        let id = answer["orderID"]?.string ?? ""
        if answer["success"]?.bool == true, text.isEmpty, !id.isEmpty,
            let taken = answer["status"]?.string.flatMap({ OrderDesk.Placement.Taken(rawValue: $0) })
        {
            return .taken(id: id.lowercased(), taken)
        }
        // One that names an order and a problem may have taken it.
        guard !text.isEmpty, id.isEmpty else { return .unclear(text) }
        return .refused(text)
    }

    /// Cancels orders by their hashes, of which there are 1...60.
    func cancel(
        _ hashes: [String], _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> Cancellation {
        var writer = JSONWriter()
        writer.array { for hash in hashes { $0.string(hash) } }
        return Self.cancellation(
            try await self.ask(.delete, "/orders", body: writer.bytes, credentials, now: now))
    }

    /// One order, whatever became of it; `nil` when the venue knows none by that hash.
    func order(
        _ hash: String, _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> VenueOrder? {
        let answer: JSONValue
        do throws(ClobFailure) {
            answer = try await self.ask(.get, "/data/order/\(hash)", credentials, now: now)
        } catch {
            guard case .refused(404, _) = error else { throw error }
            return nil
        }
        // A page without an order is how some of the venue's servers say that there is none.
        guard answer != .null, answer.object?.isEmpty != true else { return nil }
        guard let order = VenueOrder(answer), order.hash == hash else {
            throw .malformed("/data/order is no such order")
        }
        return order
    }

    /// Trades since a time, to the second before it, page by page.
    ///
    /// - Returns: them, and how many rows could not be read.
    func trades(
        since time: Timestamp, of owner: VenueTrade.Owner, _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> (trades: [VenueTrade], unreadCount: Int) {
        let seconds = max(0, (time + self.clockOffset).microseconds / 1_000_000 - 1)
        var trades: [VenueTrade] = []
        var unreadCount = 0
        try await self.pages("/data/trades", "after=\(seconds)&", credentials, now: now) {
            (row) throws(ClobFailure) in
            // A row that cannot be read must not hide the others; what it moved shows in the balance.
            if let trade = VenueTrade(row, of: owner) { trades.append(trade) } else { unreadCount += 1 }
        }
        return (trades, unreadCount)
    }

    /// One trade; `nil` when the venue knows none by that id.
    func trade(
        _ id: String, of owner: VenueTrade.Owner, _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> VenueTrade? {
        // What the venue calls a trade goes into an address: nothing but what ids are made of.
        guard id.utf8.allSatisfy(Self.idBytes.contains) else { return nil }
        var found: VenueTrade?
        try await self.pages("/data/trades", "id=\(id)&", credentials, now: now) { (row) throws(ClobFailure) in
            if let trade = VenueTrade(row, of: owner), trade.id == id { found = trade }
        }
        return found
    }

    /// The body of one order. Source: reference, 4.5.
    ///
    /// - Parameters:
    ///   - expiration: Unix seconds at which it ends, for `gtd`.
    ///   - owner: the credentials' key.
    static func body(
        of message: OrderMessage, _ signature: OrderSignature, kind: OrderKind, isPostOnly: Bool, expiration: Int64,
        owner: String
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 1_024)
        writer.object {
            $0.key("order")
            $0.object {
                $0.key("salt")
                $0.integer(Int64(message.salt))
                for (name, value) in [
                    ("maker", "\(message.maker)"), ("signer", "\(message.signer)"), ("tokenId", "\(message.token)"),
                    ("makerAmount", "\(message.makerAmount)"), ("takerAmount", "\(message.takerAmount)"),
                    ("side", message.side == .buy ? "BUY" : "SELL"), ("expiration", "\(expiration)"),
                ] {
                    $0.key(dynamic: name)
                    $0.string(value)
                }
                $0.key("signatureType")
                $0.integer(Int64(message.signatureType.rawValue))
                for (name, value) in [
                    ("timestamp", "\(message.timestamp)"), ("metadata", "\(message.metadata)"),
                    ("builder", "\(message.builder)"), ("signature", "\(signature)"),
                ] {
                    $0.key(dynamic: name)
                    $0.string(value)
                }
            }
            $0.key("owner")
            $0.string(owner)
            $0.key("orderType")
            $0.string(kind.rawValue.uppercased())
            $0.key("deferExec")
            $0.bool(false)
            $0.key("postOnly")
            $0.bool(isPostOnly)
        }
        return writer.bytes
    }
}
