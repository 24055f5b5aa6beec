import Shared

/// What the desk saw, for tests that compare.
struct DeskAudit: Sendable {
    /// Orders that are remembered, by hash; the oldest go first.
    static let orderCountMax = 1_000

    private struct Received: Sendable {
        let hash: OrderHash
        let time: Timestamp
        /// How often it came.
        var count: Int
        /// Last told by the engine; empty when it was never taken.
        var status: String
    }

    private var orders: [Received] = []
    private var places: [OrderHash: Int] = [:]
    /// How many were forgotten before the first of `orders`.
    private var forgottenCount = 0

    var unauthorizedCount = 0
    var limitBreachCount = 0
    var heartbeatCount = 0
    var refusedHeartbeatCount = 0
    /// Orders that were canceled as their key was silent.
    var heartbeatCancelCount = 0
    private var duplicateCount = 0
    private var signatureRefusalCount = 0
    private var refusalCount = 0

    /// An order came whose signature is right.
    mutating func noteReceived(_ hash: OrderHash, at time: Timestamp) {
        if let place = self.places[hash] {
            self.orders[place - self.forgottenCount].count += 1
            return
        }
        if self.orders.count >= 2 * Self.orderCountMax {
            for order in self.orders.prefix(Self.orderCountMax) { self.places[order.hash] = nil }
            self.orders.removeFirst(Self.orderCountMax)
            self.forgottenCount += Self.orderCountMax
        }
        self.places[hash] = self.forgottenCount + self.orders.count
        self.orders.append(Received(hash: hash, time: time, count: 1, status: ""))
    }

    mutating func note(_ order: EngineOrder) {
        guard let place = self.places[order.signed.hash] else { return }
        self.orders[place - self.forgottenCount].status = order.status.text
    }

    mutating func note(_ problem: Desk.OrderProblem) {
        switch problem {
        case .engine(.duplicated): self.duplicateCount += 1
        case .invalidSignature: self.signatureRefusalCount += 1
        case .invalidPayload, .versionMismatch, .foreignOwner, .foreignSigner, .engine: break
        }
        self.refusalCount += 1
    }

    func write(accountCount: Int, keyCount: Int, armedCount: Int, to writer: inout JSONWriter) {
        let counts = [
            ("accounts", accountCount), ("keys", keyCount), ("armed_keys", armedCount),
            ("unauthorized", self.unauthorizedCount), ("refused_orders", self.refusalCount),
            ("duplicates", self.duplicateCount), ("refused_signatures", self.signatureRefusalCount),
            ("limit_breaches", self.limitBreachCount), ("heartbeats", self.heartbeatCount),
            ("refused_heartbeats", self.refusedHeartbeatCount), ("heartbeat_cancels", self.heartbeatCancelCount),
        ]
        writer.object {
            for (name, count) in counts {
                $0.key(dynamic: name)
                $0.integer(count)
            }
            $0.key("orders")
            $0.array { writer in
                for order in self.orders.suffix(Self.orderCountMax) {
                    writer.object {
                        $0.key("hash")
                        $0.string(order.hash.description)
                        $0.key("time")
                        $0.integer(order.time.microseconds / 1_000)
                        $0.key("count")
                        $0.integer(order.count)
                        $0.key("status")
                        if order.status.isEmpty { $0.null() } else { $0.string(order.status) }
                    }
                }
            }
        }
    }
}
