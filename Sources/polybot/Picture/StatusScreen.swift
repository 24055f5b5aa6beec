import Shared

/// The status screen as lines of text: a pure function of what is known.
enum StatusScreen {
    private static let nameWidth = 9
    private static let stateWidth = 11
    /// Strategies that have a line of their own.
    private static let strategyCountMax = 2
    /// What stands beside a market's name in the lists at the bottom.
    private static let columnsWidth = 44

    /// Draws the screen: `height` lines of at most `width` columns, without control characters. Everything is there at
    /// 80 by 24; what a smaller terminal has no room for is left out from below, the note excepted.
    static func render(_ picture: Picture, _ run: RunView, width: Int, height: Int) -> [String] {
        guard width > 0 && height > 0 else { return [] }
        var lines = [Self.title(run, width), String(repeating: "─", count: width)]
        lines += Self.daemons(picture, run) + [""]
        if !run.units.isEmpty { lines += run.units + [""] }
        lines += Self.account(picture)
        let room = height - lines.count - 2
        if room >= 2 { lines += [""] + Self.details(picture, room: room, width: width) }
        lines = Array(lines.prefix(height - 1))
        lines += Array(repeating: "", count: max(0, height - 1 - lines.count)) + [run.note]
        return lines.map { Text.fitted($0, width) }
    }

    private static func title(_ run: RunView, _ width: Int) -> String {
        let mode =
            switch run.mode {
            case .paper?: "PAPER TRADING"
            case .live?: "LIVE TRADING"
            case nil: "trading unknown"
            }
        let left = "polybot · \(mode) · \(run.venue)"
        guard let elapsed = run.elapsed else { return left }
        let right = Text.clock(elapsed)
        return Text.left(left, max(0, width - right.count - 1)) + " " + right
    }

    // MARK: Daemons

    private static func daemons(_ picture: Picture, _ run: RunView) -> [String] {
        var lines = [Self.row("daemon", "state", "pid", "restarts", "")]
        for child in ChildName.allCases {
            guard let view = run.children[child] else { continue }
            let facts = Self.facts(of: child, picture)
            lines.append(
                Self.row(
                    child.rawValue, view.state, view.pid.map { "\($0)" } ?? "-", view.restarts.map { "\($0)" } ?? "-",
                    facts.first ?? ""))
            for fact in facts.dropFirst() { lines.append(Self.row("", "", "", "", fact)) }
        }
        return lines
    }

    private static func row(
        _ name: String, _ state: String, _ pid: String, _ restarts: String, _ fact: String
    ) -> String {
        Text.left(name, Self.nameWidth) + Text.left(state, Self.stateWidth) + Text.right(pid, 8)
            + Text.right(restarts, 9)
            + "  " + fact
    }

    private static func facts(of child: ChildName, _ picture: Picture) -> [String] {
        switch child {
        case .simvenue: return []
        case .scannerd:
            guard let scan = picture.scan else { return [] }
            if let error = scan.error { return ["\(scan.markets) markets; \(error)"] }
            guard scan.age >= 0 else { return ["reading the listing"] }
            return ["\(scan.markets) markets of \(Text.count(scan.listed)), \(Text.latency(scan.age)) ago"]
        case .feedd:
            guard let feed = picture.feed else { return [] }
            return [
                "\(Self.mode(feed.mode)), \(feed.trusted)/\(feed.markets) books trusted",
                "\(Text.count(picture.metrics[.feedd]?["messages_per_s"] ?? 0)) messages/s; latency p50 / p99:",
                "from the venue \(Self.latency("venue", of: .feedd, picture))",
                "within feedd \(Self.latency("publish", of: .feedd, picture))",
            ]
        case .stratd:
            guard let risk = picture.risk else { return [] }
            let halt = risk.isHalted ? ["HALTED: \(risk.reasons.joined(separator: ", "))"] : []
            return halt
                + picture.strategies.values.sorted { $0.strategy < $1.strategy }.prefix(Self.strategyCountMax).map {
                    "\($0.strategy) \($0.state.rawValue) in \($0.markets) markets"
                } + ["received to decided \(Self.latency("decision", of: .stratd, picture))"]
        }
    }

    private static func latency(_ name: String, of daemon: ChildName, _ picture: Picture) -> String {
        func text(_ quantile: String) -> String {
            picture.metrics[daemon]?["\(name)_latency_\(quantile)_us"].map(Text.latency) ?? "-"
        }
        return "\(text("p50")) / \(text("p99"))"
    }

    private static func mode(_ mode: FeedStatus.Mode) -> String {
        switch mode {
        case .webSocket: "websocket"
        case .restPolling: "REST polling"
        case .disconnected: "disconnected"
        case .replay: "a journal is played"
        }
    }

    // MARK: The account

    private static func account(_ picture: Picture) -> [String] {
        let balance = picture.balance
        return [
            Self.cells([
                "orders \(picture.openOrders.count) open", "sent \(Text.count(picture.orderCount))",
                "fills \(Text.count(picture.fillCount))",
                "decisions/s \(picture.decisionsPerSecond.map(Text.count) ?? "-")",
            ]),
            Self.cells([
                "balance \(balance.map { Text.money($0.cash) } ?? "-")",
                "reserved \(balance.map { Text.money($0.reserved) } ?? "-")",
                "exposure \(picture.risk.map { Text.money($0.exposure) } ?? "-")",
            ]),
            Self.cells([
                "P&L today \(picture.risk.map { Text.profit($0.dailyProfit) } ?? "-")",
                "open P&L \(Text.profit(picture.unrealised))", "positions \(picture.positions.count)",
            ]),
        ]
    }

    private static func cells(_ cells: [String]) -> String {
        cells.dropLast().map { Text.left($0, 20) + " " }.joined() + (cells.last ?? "")
    }

    // MARK: Orders and positions

    /// Orders above positions. Each list gets what the other leaves, and half when both want more.
    private static func details(_ picture: Picture, room: Int, width: Int) -> [String] {
        let orders = picture.openOrders.values.sorted { ($1.time, $1.order) < ($0.time, $0.order) }
        let positions = picture.positions.sorted { $0.key < $1.key }.map(\.value)
        let positionRoom = min(positions.count + 1, max(room / 2, room - orders.count - 1))
        return Self.orders(orders.prefix(room), picture, room: room - positionRoom, width: width)
            + Self.positions(positions.prefix(room), picture, room: positionRoom, width: width)
    }

    private static func orders(
        _ orders: some Collection<OrderBody>, _ picture: Picture, room: Int, width: Int
    ) -> [String] {
        func row(_ name: String, _ cells: [String]) -> String {
            Text.left(name, max(10, width - Self.columnsWidth))
                + zip(cells, [9, 6, 8, 8, 13]).map { Text.right($0, $1) }.joined()
        }
        guard !orders.isEmpty else { return Array(["no open orders"].prefix(room)) }
        let head = row("newest open orders", ["outcome", "side", "price", "size", "state"])
        let rows = orders.map { order in
            row(
                picture.name(of: order.market),
                [
                    picture.label(of: order.token, in: order.market), order.side.rawValue, order.price.description,
                    Decimal6.text((order.size - order.filled).micros), order.state.rawValue,
                ])
        }
        return Array(([head] + rows).prefix(room))
    }

    private static func positions(
        _ positions: some Collection<PositionBody>, _ picture: Picture, room: Int, width: Int
    ) -> [String] {
        func row(_ name: String, _ cells: [String]) -> String {
            Text.left(name, max(10, width - Self.columnsWidth))
                + zip(cells, [9, 11, 11, 13]).map { Text.right($0, $1) }.joined()
        }
        guard !positions.isEmpty else { return Array(["no positions"].prefix(room)) }
        let head = row("positions", ["outcome", "shares", "cost", "open P&L"])
        let rows = positions.map { position in
            row(
                picture.name(of: position.market),
                [
                    picture.label(of: position.token, in: position.market),
                    Decimal6.text((position.confirmed + position.pendingIn - position.pendingOut).micros),
                    Decimal6.text(position.averageCost), Text.profit(position.unrealised),
                ])
        }
        return Array(([head] + rows).prefix(room))
    }

    // MARK: Without a terminal

    /// The same in one line, for a log.
    static func line(_ picture: Picture, _ run: RunView) -> String {
        let mode = picture.feed.map { Self.mode($0.mode) } ?? "feedd does not answer"
        let rate = picture.metrics[.feedd]?["messages_per_s"] ?? 0
        let restarts = run.children.values.reduce(0) { $0 + ($1.restarts ?? 0) }
        let profit = picture.risk.map { Text.profit($0.dailyProfit) } ?? "-"
        return
            "\(run.elapsed.map { Text.clock($0) + " " } ?? "")\(mode), \(picture.trusted)/\(picture.feed?.markets ?? 0) "
            + "books trusted, \(rate) messages/s, \(picture.openOrders.count) open orders, \(picture.fillCount) fills, "
            + "\(picture.positions.count) positions, P&L \(profit), \(restarts) restarts"
    }
}
