import Shared

/// What the venue saw and did, for `GET /audit`.
struct Audit: Sendable {
    /// Kinds of requests that are counted apart; the rest is one.
    static let routeCountMax = 128
    /// Faults that are remembered; the oldest go first.
    static let faultCountMax = 1_000

    enum Source: String, Sendable { case control, script }

    private struct Route: Hashable, Comparable, Sendable {
        let request: String
        /// 0 when the connection ended without an answer.
        let status: Int
        static func < (a: Route, b: Route) -> Bool { (a.request, a.status) < (b.request, b.status) }
    }

    private struct Performed: Sendable {
        let time: Int64
        let source: Source
        let order: FaultOrder
        let problem: String?
    }

    private var routes: [Route: Int] = [:]
    private var performed: [Performed] = []
    private var performedCount = 0
    var openedCount = 0
    var pricesOpenedCount = 0
    var userOpenedCount = 0
    var refusedUpgradeCount = 0
    var pingCount = 0
    var subscribeCount = 0
    var unsubscribeCount = 0
    var invalidCount = 0

    /// - Parameter status: `nil` when the connection ended without an answer.
    mutating func note(_ request: PageRequest, status: Int?) {
        // Ids and slugs would make every request one of its own.
        let words = [
            "keyset", "slug", "market", "api-key", "derive-api-key", "api-keys", "order", "orders", "trades",
            "heartbeats",
            "update",
        ]
        let tail = request.path.dropFirst().map { words.contains($0) ? $0 : "…" }
        let path = "/" + (request.path.prefix(1) + tail).joined(separator: "/")
        var route = Route(request: "\(request.method.prefix(16)) \(path.prefix(64))", status: status ?? 0)
        if self.routes[route] == nil, self.routes.count >= Self.routeCountMax {
            route = Route(request: "other", status: status ?? 0)
        }
        self.routes[route, default: 0] += 1
    }

    mutating func note(_ order: FaultOrder, from source: Source, at time: Int64, problem: String?) {
        if self.performed.count == Self.faultCountMax { self.performed.removeFirst() }
        self.performed.append(Performed(time: time, source: source, order: order, problem: problem))
        self.performedCount += 1
    }

    /// - Parameters:
    ///   - connectionCount: of the market channel, now.
    ///   - idCount: subscribed on them.
    ///   - pricesCount: connections of the price streams, now.
    ///   - userCount: those of the user channel, now.
    func answer(
        at time: Int64, connectionCount: Int, idCount: Int, pricesCount: Int, userCount: Int, desk: Desk
    ) -> Answer {
        .json {
            $0.object {
                $0.key("time")
                $0.integer(time)
                $0.key("requests")
                $0.array { writer in
                    for (route, count) in self.routes.sorted(by: { $0.key < $1.key }) {
                        writer.object {
                            $0.key("request")
                            $0.string(route.request)
                            $0.key("status")
                            if route.status == 0 { $0.null() } else { $0.integer(route.status) }
                            $0.key("count")
                            $0.integer(count)
                        }
                    }
                }
                $0.key("channel")
                $0.object { self.writeChannel(connectionCount, idCount, to: &$0) }
                $0.key("prices")
                $0.object {
                    $0.key("connections")
                    $0.integer(pricesCount)
                    $0.key("opened")
                    $0.integer(self.pricesOpenedCount)
                }
                $0.key("user")
                $0.object {
                    $0.key("connections")
                    $0.integer(userCount)
                    $0.key("opened")
                    $0.integer(self.userOpenedCount)
                }
                $0.key("desk")
                desk.writeAudit(to: &$0)
                $0.key("faults")
                $0.object { self.writeFaults(to: &$0) }
            }
        }
    }

    private func writeChannel(_ connectionCount: Int, _ idCount: Int, to writer: inout JSONWriter) {
        let counts = [
            ("connections", connectionCount), ("ids", idCount), ("opened", self.openedCount),
            ("refused", self.refusedUpgradeCount), ("subscribes", self.subscribeCount),
            ("unsubscribes", self.unsubscribeCount), ("pings", self.pingCount), ("invalid", self.invalidCount),
        ]
        for (name, count) in counts {
            writer.key(dynamic: name)
            writer.integer(count)
        }
    }

    private func writeFaults(to writer: inout JSONWriter) {
        writer.key("count")
        writer.integer(self.performedCount)
        writer.key("latest")
        writer.array { writer in
            for performed in self.performed {
                writer.object {
                    $0.key("time")
                    $0.integer(performed.time)
                    $0.key("from")
                    $0.string(performed.source.rawValue)
                    $0.key("fault")
                    performed.order.write(to: &$0)
                    $0.key("problem")
                    if let problem = performed.problem { $0.string(problem) } else { $0.null() }
                }
            }
        }
    }
}
