import Logging

/// What the catalogue looks like to others: to `journalctl -x`, and in `docs/OPERATIONS.md`.
extension EventCatalogue {
    /// The message catalogue that `journalctl --update-catalog` takes in: an explanation for every event with an id.
    ///
    /// Source: <https://systemd.io/CATALOG>.
    public static var catalogFile: String {
        var text = "# What polybot's events mean, for journalctl -x. Made from the code that logs them.\n"
        for entry in Self.entries {
            guard let id = entry.id else { continue }
            text += "\n-- \(id)\nSubject: \(entry.sentence)\nDefined-By: polybot\n\n\(entry.meaning)\n"
            for fact in entry.facts { text += "  \(fact): @\(LogRecord.fieldName(fact))@\n" }
            text += "\nWhat to do: \(entry.advice)\n"
        }
        return text
    }

    /// The table of all events, in Markdown.
    static var eventTable: String {
        var text = "| event | level | said by | sentence, meaning, what to do |\n|---|---|---|---|\n"
        for entry in Self.entries {
            let levels = entry.levels.map(\.rawValue).joined(separator: ", ")
            let speakers = entry.speakers.map(\.rawValue).joined(separator: ", ")
            text += "| `\(entry.name)`\(entry.id == nil ? "" : " ●") | \(levels) | \(speakers) "
            text += "| **\(entry.sentence)** \(entry.meaning) *\(entry.advice)* |\n"
        }
        return text
    }

    /// The ids, in Markdown.
    static var idTable: String {
        var text = "| event | `MESSAGE_ID` |\n|---|---|\n"
        for entry in Self.entries { if let id = entry.id { text += "| `\(entry.name)` | `\(id)` |\n" } }
        return text
    }

    /// The fields of facts, in Markdown.
    static var fieldTable: String {
        var text = "| field | in JSON and text | holds |\n|---|---|---|\n"
        for (name, meaning) in Self.facts { text += "| `\(LogRecord.fieldName(name))` | `\(name)` | \(meaning) |\n" }
        return text
    }

    /// Every fact that may stand beside a sentence, at any level, and what it holds.
    static let facts: [(name: String, meaning: String)] = [
        // Whom it is about.
        ("market", "condition id of a market, `0x` and 64 digits"),
        ("change", "what of a market's rules changed, from and to"),
        ("slug", "the market's name in the venue's addresses"),
        ("order", "our number of an order"),
        ("hash", "the venue's number of an order"),
        ("trade", "the venue's number of a trade"),
        ("strategy", "name of a strategy"),
        ("maker", "address of the wallet that orders are for"),
        (
            "difference",
            "the venue's balance or shares less the ledger's; of a market that is settled again, the cash that it brings more"
        ),
        ("ledger", "shares of a token that the ledger has settled"),
        ("venue", "shares of a token that the venue's Data API lists"),
        ("balance", "shares of a token that the venue's order service tells, or `unknown`"),
        ("redeemable", "whether the market of held shares has ended"),
        ("token", "the venue's number of an outcome's token"),
        ("check", "one of those before live trading, as `stratd doctor` names it"),
        ("found", "what a check found"),
        ("advice", "what to do about it"),
        ("unknown", "orders whose fate is not known"),
        ("connection", "number of a connection to the market channel, from 0, or to Binance, from 1"),
        ("symbol", "of a reference price: `btcusd`, or `none`"),
        ("source", "of reference prices: `binance` or `polybolt`"),
        ("peer", "number of a connection to a daemon's own socket, from 1 at each start"),
        ("socket", "path of a socket"),
        ("daemon", "name of a daemon"),
        ("part", "what of a daemon the watchdog judges: a thread or a disk"),
        ("credential", "name of a secret, never the secret"),
        ("place", "where a secret stands: a path, or a variable's name"),
        // Why.
        ("reason", "why, as a word of a closed list or in the words of who says it"),
        ("code", "a word of a closed list: the venue's, the risk gate's, a frame's; of an exit, its number"),
        ("error", "what the system said"),
        ("detail", "what code or action mean in this case"),
        ("text", "what the venue said, or we to it; a record of the ledger"),
        ("body", "of a frame"),
        // Trading.
        ("side", "`buy` or `sell`"),
        ("price", "pUSD a share"),
        ("size", "shares"),
        ("fee", "pUSD"),
        ("cash", "pUSD"),
        ("outcome", "0 or 1, in the market's order"),
        ("filled", "shares, so far"),
        ("state", "of an order"),
        ("action", "what a strategy decided: `quote`, `hold` or `refuse`"),
        ("gates", "why it decided so: each gate with its code and detail"),
        ("update", "number of the book's update that was decided on"),
        ("winner", "outcome that won, 0 or 1, or `none`"),
        ("tick", "step of prices, pUSD"),
        ("changed", "names of a market's terms that changed"),
        ("halted", "whether trading is halted"),
        ("nothing_held", "whether a position is gone entirely"),
        ("command", "an operator's command"),
        ("limit_name", "which limit of the section risk"),
        ("value", "what it was set to, in the limit's smallest unit"),
        ("configured", "what the configuration says, in the same unit"),
        // How many.
        ("books", "how many books"),
        ("budget_percent", "share of one core that comparing hashes may take"),
        ("bytes", "how many bytes"),
        ("count", "how many prints"),
        ("ends", "how many starts in a row ended soon"),
        ("gaps", "how many places at which lines are missing"),
        ("limit", "how many there may be"),
        ("step_ms", "by how much the clock was set ahead, milliseconds; back when negative"),
        ("limit_s", "how long it may take, seconds"),
        ("lines", "how many lines, of the log or of a journal"),
        ("malformed", "how many lines, files or rows could not be read"),
        ("p99_us", "what 99 of 100 texts took from the venue to the subscribers at most, microseconds"),
        ("runs", "how many runs of a feedd"),
        ("speed", "recorded seconds in one second, or max"),
        ("target_us", "what they should take at most, microseconds"),
        ("listed", "how many markets the venue lists"),
        ("markets", "how many markets"),
        ("open", "how many connections"),
        ("open_files_max", "how many descriptors the process may have"),
        ("open_orders", "how many orders"),
        ("orders", "how many orders"),
        ("permille", "how many of a thousand"),
        ("age_s", "how old it is, in seconds"),
        ("passes_failed", "how many passes over the listing failed since the start"),
        ("terms", "each term, what it was and what it is"),
        ("seq", "number of a frame on its connection, from 1 in each direction"),
        ("seconds", "how long, seconds"),
        ("compression", "what was agreed about compressed messages, or `none`"),
        ("tokens", "how many tokens are subscribed"),
        ("wait_s", "how long it waits, seconds"),
        // Processes.
        ("config", "the configuration's file, or `defaults`"),
        ("file", "path of a file"),
        ("instance", "new at every start of a daemon"),
        ("pid", "process number"),
        ("result", "systemd's `$SERVICE_RESULT`"),
        ("runtime_dir", "directory of sockets"),
        ("sentence", "a sentence of ours"),
        ("setting", "what has no effect"),
        ("signal", "name of a signal"),
        ("state_dir", "directory of journals"),
        ("status", "systemd's `$EXIT_STATUS`: an exit code or a signal"),
        ("type", "type of a frame"),
        ("uid", "number of a user"),
        ("version", "of the program"),
    ]
}
