extension BookBuilder {
    /// What was seen and done, for `feed_status`: each rule that keeps a wrong book from being published has its counter.
    struct Counters: Equatable {
        /// Hashes computed and compared.
        var checked: Int64 = 0
        /// Operations and snapshots that are not what the venue hashed.
        var mismatched: Int64 = 0
        /// Changes that were applied before their hash was compared, as the budget was spent: unsettled until a later one is right.
        var leftOut: Int64 = 0
        /// Messages that said nothing new.
        var repeated: Int64 = 0
        /// Messages and snapshots that were passed over, as the book had them already.
        var old: Int64 = 0
        /// Changes whose time is before that of the change before them; their hash decides.
        var backwards: Int64 = 0
        /// Levels told off the grid; they are kept, and their hash decides.
        var offTick: Int64 = 0
        /// Fetched books that nothing on the line bore out.
        var unproved: Int64 = 0
        /// Books whose hash was right and whose bids were not below their asks.
        var crossed: Int64 = 0
        /// Levels with a size that nobody believes: negative, above `OrderBook.levelSizeMax`, or nothing at all in a snapshot.
        var sizesRefused: Int64 = 0
        /// Snapshots that name a price twice on one side.
        var levelsDoubled: Int64 = 0
        /// Hashes of the second outcome that were compared beside the first's.
        var mirrorsChecked: Int64 = 0
        /// Messages and books of one outcome that contradict the other's.
        var mirrorsBroken: Int64 = 0
        /// Entries and events that name a token of another market.
        var tokensUnknown: Int64 = 0
        var ticksChanged: Int64 = 0
        /// Prices of last trades that were searched and found by the hash.
        var lastTradesFound: Int64 = 0

        /// As `feed_status` names them.
        private static var fields: [(name: String, path: WritableKeyPath<Counters, Int64>)] {
            [
                ("hashes_checked", \.checked), ("hashes_mismatched", \.mismatched), ("hashes_left_out", \.leftOut),
                ("repeated", \.repeated), ("old", \.old), ("time_backwards", \.backwards), ("off_tick", \.offTick),
                ("books_unproved", \.unproved), ("books_crossed", \.crossed), ("sizes_refused", \.sizesRefused),
                ("levels_doubled", \.levelsDoubled), ("mirrors_checked", \.mirrorsChecked),
                ("mirrors_broken", \.mirrorsBroken), ("tokens_unknown", \.tokensUnknown),
                ("ticks_changed", \.ticksChanged), ("last_trades_found", \.lastTradesFound),
            ]
        }

        mutating func add(_ other: Counters) {
            for (_, path) in Self.fields { self[keyPath: path] += other[keyPath: path] }
        }

        mutating func add(_ fault: BookContent.Fault) {
            switch fault {
            case .size: self.sizesRefused += 1
            case .doubledLevel: self.levelsDoubled += 1
            case .noRoom: self.offTick += 1
            }
        }

        func write(to counters: inout [String: Int64]) {
            for (name, path) in Self.fields { counters[name] = self[keyPath: path] }
        }
    }
}
