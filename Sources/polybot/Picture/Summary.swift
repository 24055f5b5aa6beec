import Shared

/// The picture as one JSON object, for programs.
struct Summary {
    /// What `--help` says of the members.
    static let members = """
        ok              books are trusted and every daemon answers at the end
        seconds         how long it ran; 0 for status
        venue, mode     which venue; "paper" or "live", null where stratd told neither
        feed_mode       "websocket", "rest_polling", "disconnected" or "replay"
        markets         markets that feedd carries
        trusted         of these, books that are trusted
        untrusted       the others; a market of the last two seconds left aside
        max_untrusted   most at once, since all were trusted first; null before
        messages        of the venue; this and other counts over all lives of a daemon
        messages_per_s  of the last second
        latency_us      of the last second: from the venue's time, and inside feedd
        orders          orders that were sent
        open_orders, fills, decisions, positions   counts
        cash, reserved, exposure, profit, unrealised   pUSD as text, or null; profit
                        is today's
        restarts        by program
        longest_outage_ms   by program: from an unasked end until it answered again
        malformed_frames    frames that could not be read
        error           what went wrong; absent when all went well
        runtime_dir     of status alone: the directory whose sockets were asked
        notes           of status alone: what a person should know besides, as texts
        systemd         of status alone: by daemon, where systemd has its unit and the
                        unit's socket was asked: active, sub, result, status (texts as
                        systemctl has them), since_s, restarts, pid, answering_pid (on
                        the socket), exit_status, memory and memory_max (bytes); a
                        number is null where there is none
        """

    var isOK: Bool
    var elapsed = Duration.zero
    var venue: String
    /// `nil`: what stratd told.
    var mode: TradingMode?
    var restarts: [ChildName: Int] = [:]
    var outages: [ChildName: Duration] = [:]
    var error: String?
    /// What `status` adds.
    var status: StatusReport?

    /// One line, with its end.
    func json(_ picture: Picture) -> [UInt8] {
        var writer = JSONWriter(capacity: 1_024)
        writer.object { writer in
            writer.key("ok")
            writer.bool(self.isOK)
            writer.key("seconds")
            writer.decimal(self.elapsed.milliseconds * 1_000)
            writer.key("venue")
            writer.string(self.venue)
            writer.key("mode")
            // Nobody may take a live system that is down for one on paper.
            if let mode = self.mode ?? picture.balance?.mode { writer.string(mode.rawValue) } else { writer.null() }
            Self.writeFeed(picture, to: &writer)
            Self.writeAccount(picture, to: &writer)
            Self.write("restarts", self.restarts.mapValues(Int64.init), to: &writer)
            Self.write("longest_outage_ms", self.outages.mapValues(\.milliseconds), to: &writer)
            Self.write("malformed_frames", picture.malformedCount, to: &writer)
            if let error = self.error {
                writer.key("error")
                writer.string(error)
            }
            self.status?.write(to: &writer)
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// The same for people.
    func lines(_ picture: Picture) -> [String] {
        let restarted = self.restarts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { child, count in
            let outage = self.outages[child].map { ", longest outage \(Text.latency($0.nanoseconds / 1_000))" } ?? ""
            return "\(child) restarted \(count == 1 ? "once" : "\(count) times")\(outage)"
        }
        var lines = [
            "Ran \(Text.clock(self.elapsed)) on paper: \(Text.count(picture.messageCount)) messages, "
                + "\(picture.trusted) of \(picture.feed?.markets ?? 0) books trusted.",
            "\(Text.count(picture.orderCount)) orders, \(Text.count(picture.fillCount)) fills, \(picture.positions.count) positions, "
                + "P&L \(picture.risk.map { Text.profit($0.dailyProfit) } ?? "unknown") pUSD.",
        ]
        if !restarted.isEmpty { lines.append(restarted.joined(separator: "; ") + ".") }
        if let error = self.error { lines.append(error) }
        return lines
    }

    private static func writeFeed(_ picture: Picture, to writer: inout JSONWriter) {
        let metrics = picture.metrics[.feedd] ?? [:]
        writer.key("feed_mode")
        writer.string((picture.feed?.mode ?? .disconnected).rawValue)
        Self.write("markets", picture.feed?.markets ?? 0, to: &writer)
        Self.write("trusted", picture.trusted, to: &writer)
        Self.write("untrusted", picture.untrusted, to: &writer)
        Self.write("max_untrusted", picture.mostUntrusted, to: &writer)
        Self.write("messages", picture.messageCount, to: &writer)
        Self.write("messages_per_s", metrics["messages_per_s"] ?? 0, to: &writer)
        writer.key("latency_us")
        writer.object {
            for (name, key) in [
                ("venue_latency_p50_us", "venue_p50"), ("venue_latency_p99_us", "venue_p99"),
                ("publish_latency_p50_us", "publish_p50"), ("publish_latency_p99_us", "publish_p99"),
            ] as [(String, StaticString)] { Self.write(key, metrics[name], to: &$0) }
        }
    }

    private static func writeAccount(_ picture: Picture, to writer: inout JSONWriter) {
        Self.write("orders", picture.orderCount, to: &writer)
        Self.write("open_orders", Int64(picture.openOrders.count), to: &writer)
        Self.write("fills", picture.fillCount, to: &writer)
        Self.write("decisions", picture.decisionCount, to: &writer)
        Self.write("positions", Int64(picture.positions.count), to: &writer)
        for (key, money) in [
            ("cash", picture.balance?.cash), ("reserved", picture.balance?.reserved),
            ("exposure", picture.risk?.exposure),
            ("profit", picture.risk?.dailyProfit), ("unrealised", picture.balance == nil ? nil : picture.unrealised),
        ] as [(StaticString, Money?)] {
            writer.key(key)
            if let money { writer.decimalString(money.micros) } else { writer.null() }
        }
    }

    private static func write(_ key: StaticString, _ value: Int64?, to writer: inout JSONWriter) {
        writer.key(key)
        if let value { writer.integer(value) } else { writer.null() }
    }

    private static func write(_ key: StaticString, _ values: [ChildName: Int64], to writer: inout JSONWriter) {
        writer.key(key)
        writer.object {
            for (child, value) in values.sorted(by: { $0.key < $1.key }) {
                $0.key(dynamic: child.rawValue)
                $0.integer(value)
            }
        }
    }
}
