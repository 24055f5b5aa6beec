import Logging

extension EventCatalogue {
    static let strategyEntries: [Entry] = [
        // Secrets.
        Entry(
            "A credential cannot be used", "credential_unusable", .warning, id: "d6e0cf3976e447d1b387138d2e11ebb9",
            by: [.feedd, .stratd],
            facts: ["credential", "place", "reason"],
            meaning: "A secret of the account is there and cannot be read, has another form, or is open to others.",
            advice: "Paper trading needs none. Mend what the reason names, or remove it; what it holds is never shown."),

        // The ledger.
        Entry(
            "The ledger was read", "ledger_read", .info, by: [.stratd],
            meaning: "Cash, positions and open orders are as the ledger's journal has them."),
        Entry(
            "The ledger ended in half a line, which was put aside", "ledger_torn", .warning,
            id: "4bf5e74787875deaa3ab2d97bd166e0a", by: [.stratd], facts: ["bytes", "file"],
            meaning: "The machine or the process ended in the midst of a write. What was half written never left.",
            advice: "Nothing. The file that is named keeps the piece; delete it when you have looked at it."),
        Entry(
            "The ledger was contradicted", "ledger_contradicted", .critical, id: "e81cfd57a7030bfcb93bfc943a1f0862",
            by: [.stratd], facts: ["reason"],
            meaning: "The venue reported what cannot be true of an order or a position. Trading is halted.",
            advice: "Compare orders and positions with the venue's before you resume, and report it: somebody is wrong."
        ),
        Entry(
            "The journal cannot be written", "journal_failed", .critical, id: "ad1ee93491061a45d97d032960ad4311",
            by: [.stratd], facts: ["reason"],
            meaning: "The disk took no record of an order. Nothing leaves without one: trading is halted.",
            advice: "Make room on the disk of the state directory or repair it, wait for the next event, then resume."),
        Entry(
            "The journal takes records again; trading stays halted until it is resumed", "journal_works", .notice,
            id: "fefb8e06fef56117b724ec9a42b748c0", by: [.stratd],
            meaning: "A whole checkpoint was written after writes had failed.",
            advice: "Look at orders and positions, then resume."),

        // Trading.
        Entry(
            "Trading is halted", "trading_halted", .error, id: "0b0b7113523151416aafcbf7a2651485", by: [.stratd],
            facts: ["reason"],
            meaning: """
                No order leaves but cancels, and open orders are cancelled. The reason is operator, halt_file, \
                daily_loss, max_drawdown, unknown_orders, journal or ledger.
                """,
            advice: "Find the cause, remove it, then resume. A halt survives restarts."),
        Entry(
            "Trading is resumed", "trading_resumed", .notice, id: "3204fd67ca645bf05a64f130d0588351", by: [.stratd],
            meaning: "An operator ended the halt; strategies quote again."),
        Entry(
            "An operator gave a command", "command_given", .notice, id: "d8e0de1f42e25fbd2f09258b33ccd67e",
            by: [.stratd], facts: ["command", "uid", "reason"],
            meaning: "Somebody who may do so gave stratd an order. Whether it was done stands in the answer.",
            advice: "Nothing, if it was you."),
        Entry(
            "Refused a command of somebody who is no operator", "command_refused", .warning,
            id: "8fce7a70c504d42db9fe643ebc081034", by: [.stratd], facts: ["command", "uid", "pid"],
            meaning:
                "A process may read stratd's socket and tried to command, which needs the group polybot-operators.",
            advice: "Put that user into the group, if it shall command. Otherwise ask why it tried."),
        Entry(
            "Market left", "market_left", .notice, by: [.stratd],
            meaning: "A market was flattened; nothing_held says whether all could be sold.",
            advice: "Where something is still held, look at the book: nobody bid within the price band."),
        Entry(
            "Orders were still open at the end", "orders_left_open", .warning, id: "3250c88f81636af4a2aadfcd5e42fe92",
            by: [.stratd], facts: ["orders"],
            meaning: "stratd stopped before the venue had confirmed the cancels of its orders.",
            advice: "Start stratd again: it takes them up from its ledger."),

        // Orders.
        Entry(
            "Order refused", "order_refused", .debug, by: [.stratd],
            meaning: "The risk gate did not let an order leave; code and detail say which limit stood against it."),
        Entry(
            "Order rejected by the venue", "order_rejected", .info, by: [.stratd],
            meaning: "The venue did not take an order; the code is its reason.",
            advice: "Nothing for one. If all are rejected, read the code."),
        Entry(
            "Order outcome unknown", "order_unknown", .error, id: "857d43763eae7ad6ac52988b8ce30242", by: [.stratd],
            facts: ["order", "hash", "code"],
            meaning: "No answer came to an order: the venue may hold it. It counts as exposure and is not sent again.",
            advice:
                "Nothing at once: what the venue says of it later settles it. At risk.unknown_orders_max trading halts."
        ),
        Entry(
            "Order filled", "order_filled", .info, by: [.stratd], meaning: "All or a part of an order was traded."),

        // What the feed says.
        Entry(
            "Cannot read a frame of the feed", "feed_frame_unreadable", .error, by: [.stratd],
            meaning:
                "feedd sent something that this version does not understand. No book is trusted until all came anew.",
            advice: "Restart all units, so that both daemons are of one version."),
        Entry(
            "Prints were lost", "prints_lost", .warning, by: [.stratd],
            meaning:
                "stratd did not read fast enough and trades of a market are missing: fills on paper are unsure there.",
            advice: "See whether the machine is busy."),
    ]
}
