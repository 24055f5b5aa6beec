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

        Entry(
            "The input journal loses lines", "input_journal_down", .error, id: "3a1c5e0f7b92486d8e4f20c6d1b7a95c",
            by: [.stratd], facts: ["reason", "lines"],
            meaning:
                "What stratd decides on is not kept on disk at present. Trading goes on; stratd replay will tell of the gap.",
            advice: "Make room on the disk of the state directory, or allow less in trading.journal_max_mb."),
        Entry(
            "The input journal keeps lines again", "input_journal_works", .notice,
            id: "c84e17d2905b4f3ea6d0927f5e3b618a", by: [.stratd], facts: ["lines"],
            meaning: "The disk takes what stratd decides on again; so many lines are missing between."),

        // The real account.
        Entry(
            "A check before live trading passed", "live_check_passed", .info, by: [.stratd], facts: ["check", "found"],
            meaning: "One of the things that live trading needs is there."),
        Entry(
            "A check before live trading was left out", "live_check_left_out", .info, by: [.stratd],
            facts: ["check", "reason"],
            meaning: "It could not be made now, and trading does not depend on it."),
        Entry(
            "A check before live trading found something odd", "live_check_odd", .warning,
            id: "f127e4d1a2046610b9af8280230881e5", by: [.stratd], facts: ["check", "found", "advice"],
            meaning:
                "Something is not as it should be that live trading does not depend on. Trading begins all the same.",
            advice: "Do what the advice says, when there is time."),
        Entry(
            "A check before live trading failed", "live_check_failed", .error, id: "5f0e0b9a2d7c4b39a1c1e2b5d8a34f61",
            by: [.stratd], facts: ["check", "found", "advice"],
            meaning:
                "Something that live trading needs is missing. Nothing is traded; all checks are made again soon.",
            advice: "Do what the advice says; sudo polybot doctor --service makes the same checks in a terminal."),
        Entry(
            "About the account", "account_told", .notice, by: [.stratd], facts: ["text"],
            meaning: "What was found while the account was opened, such as credentials that are made anew."),
        Entry(
            "Live trading is open", "live_open", .notice, id: "0d4a3ab3c7f54b0c9f7b8d1e6c2a9053", by: [.stratd],
            facts: ["maker", "cash"],
            meaning: "All checks passed. Orders leave as soon as the venue's orders and trades were read."),
        Entry(
            "Logged in to the venue again", "live_login", .notice, by: [.stratd],
            meaning: "The venue had refused the credentials, or the clock of a request; both were learnt anew."),
        Entry(
            "Connected to the venue's user channel", "user_channel_open", .info, by: [.stratd],
            meaning: "The venue tells of our orders and trades as they happen."),
        Entry(
            "The connection to the venue's user channel ended", "user_channel_lost", .warning,
            id: "7a3b1f0c8e9d4d52b6e04c1f2a5d7380", by: [.stratd], facts: ["reason"],
            meaning: "Until it is open again no order leaves; orders and trades are read when it is.",
            advice:
                "Nothing: it is tried again for ever. When it stays away, see whether the credentials are still good."),
        Entry(
            "The venue's user channel sent a text that cannot be read", "user_channel_malformed", .warning,
            by: [.stratd], facts: ["reason", "bytes"],
            meaning: "What it may have said is asked for instead."),
        Entry(
            "A heartbeat failed", "heartbeat_failed", .warning, by: [.stratd], facts: ["reason"],
            meaning: "The venue did not take a sign of life. Ten seconds without one, and it cancels all our orders."),
        Entry(
            "A heartbeat was withheld: the engine's loop did not answer", "heartbeat_withheld", .warning,
            id: "c1e6f0a47b0d4bb08d6a3e9f5b7c2d18", by: [.stratd],
            meaning: "The engine stands still. The venue will cancel all our orders, which is what is wanted then.",
            advice: "See what kept stratd: the disk, the machine, a debugger."),
        Entry(
            "An order that the ledger does not know is cancelled", "order_stray", .warning,
            id: "e2b7d6415c0f4f1e8a93b0c7d5f6a849", by: [.stratd], facts: ["hash"],
            meaning: "The venue holds an order of this account that stratd did not place, or had given up.",
            advice:
                "Give stratd an account of its own: whoever else trades on it is cancelled, and its results are mixed up."
        ),
        Entry(
            "Orders could not be cancelled yet", "cancel_failed", .warning, by: [.stratd], facts: ["orders", "reason"],
            meaning: "The venue did not take a cancel. It is tried again until nothing is open."),
        Entry(
            "The account's orders or trades could not be read", "account_read_failed", .warning, by: [.stratd],
            facts: ["reason"],
            meaning: "They are asked for again soon."),
        Entry(
            "Trades of the account are told in a form that cannot be read", "trades_unread", .warning, by: [.stratd],
            facts: ["malformed"],
            meaning:
                "They are passed over and read again later. What they moved shows in the balance, which then halts trading.",
            advice: "Look at the account's trades on the venue's page, and report the form of the latest."),
        Entry(
            "A part of the account's in a trade is told in a form that cannot be read", "trade_part_unread", .warning,
            id: "84c1e0d7a92f4b65b3d80f6a1c7e5923", by: [.stratd], facts: ["trade"],
            meaning:
                "An order of ours made in this trade, and nothing of that is booked. It is told once for each trade and each start. What it moved shows in the balance and the shares, which then halt trading.",
            advice: "Look at this trade on the venue's page, and report its form."),
        Entry(
            "Open orders of the account are told in a form that cannot be read", "orders_unread", .warning,
            by: [.stratd],
            facts: ["malformed"],
            meaning: """
                Each may be an order of ours, or one that nobody here knows. The list does not count as read: without a whole one \
                for 180 s nothing is placed.
                """,
            advice:
                "Look at the account's open orders on the venue's page, cancel what you do not know, and report the form."
        ),
        Entry(
            "The account's balance or the venue's clock could not be read", "account_watch_failed", .warning,
            by: [.stratd], facts: ["reason"],
            meaning: "They are read again within a minute."),
        Entry(
            "The venue's balance is not the ledger's", "balance_differs", .critical,
            id: "6b2f9d41c0a84e7f93d5b1e8a7c60f24", by: [.stratd], facts: ["difference"],
            meaning:
                "Three looks, a while apart, found the same difference, which no fill explains. Trading is halted.",
            advice:
                "A deposit or a withdrawal explains it: resume, and the ledger takes the venue's word. Anything else is for you to find out."
        ),
        Entry(
            "Another winner of a market was told, it is settled again", "resolution_corrected", .warning,
            id: "2f6d0c9be1754a83b7c46f1d905e38a2", by: [.stratd], facts: ["market", "winner", "difference"],
            meaning:
                "What was held is worth what the winner that was told last makes of it; the difference is booked to cash and to the result of today.",
            advice: "Compare the winner with the venue's page."),
        Entry(
            "The venue's shares are not the ledger's", "shares_differ", .critical,
            id: "f1c84b0e72d94a5d8e36a9c0b7d2e514", by: [.stratd], facts: ["token", "difference"],
            meaning:
                "Three looks, a while apart, found the same difference, which nothing that waits for the chain explains. Trading is halted.",
            advice:
                "Whoever else moves this account's shares has to stop. Compare with the venue, mend the ledger's cause, then resume."
        ),
        Entry(
            "The Data API's position is not the ledger's", "position_differs", .critical,
            id: "ff5b629d46aca7592cb1d307f544815e", by: [.stratd], facts: ["token", "ledger", "venue", "balance"],
            meaning: """
                The ledger's count of a token has stood still for venue.data_lag_max_s and longer than the venue's Data API says that it is \
                behind, nothing of it waits for the chain, and three readings in a row found another count there. Trading is halted.
                """,
            advice: """
                The balance is what the venue's order service has of the token. Where it is the ledger's the Data API is wrong: resume, \
                the same difference halts no more. Else find out who moved the shares.
                """),
        Entry(
            "The Data API's position is the ledger's again", "position_agrees", .notice, by: [.stratd],
            facts: ["token", "size"],
            meaning: "A difference that had halted trading is gone. Trading stays halted until a person resumes."),
        Entry(
            "The account holds shares that the ledger does not know", "shares_foreign", .warning,
            id: "41a9c0cddd1efdd0d0d4b53da4716ef4", by: [.stratd], facts: ["token", "size", "redeemable"],
            meaning:
                "The venue's Data API lists shares that were held before, sent by somebody, traded elsewhere, or whose market ended long ago. They are not traded, and said once.",
            advice:
                "Nothing, if you know of them. Give stratd an account of its own; shares of an ended market can be redeemed."
        ),
        Entry(
            "Shares of a market that has ended wait to be redeemed", "shares_unredeemed", .notice, by: [.stratd],
            facts: ["token", "size"],
            meaning:
                "The ledger has settled them, the wallet still has them. Winners become money when they are redeemed.",
            advice: "Redeem them at the venue, where that does not happen by itself."),
        Entry(
            "The Data API cannot be read, positions are not compared with it", "data_api_away", .warning,
            id: "9236f0d509ee33e563adc7de6ec89b64", by: [.stratd], facts: ["reason"],
            meaning: "Balances are compared all the same, and trading goes on. It is said once, and when it is back.",
            advice: "If it lasts, see the network and venue.data_url."),
        Entry(
            "The Data API can be read again", "data_api_back", .notice, id: "6c2a0b4941a18763cfd3d157905e1388",
            by: [.stratd], facts: ["seconds"],
            meaning: "The account's positions are compared with those of the Data API again."),
        Entry(
            "The Data API is behind the chain", "data_api_behind", .warning, id: "30cf27517128212b6e2b759cce74493e",
            by: [.stratd],
            facts: ["seconds"],
            meaning: """
                By its own word it is further behind than venue.data_lag_max_s. Positions are compared as late as that; balances are \
                compared all the same, and trading goes on.
                """,
            advice: "Nothing if \"The Data API has caught up with the chain\" follows. The venue has to mend it."),
        Entry(
            "The Data API has caught up with the chain", "data_api_caught_up", .notice, by: [.stratd],
            meaning: "It is behind by no more than venue.data_lag_max_s."),
        Entry(
            "Positions of the Data API cannot be read", "positions_unreadable", .warning, by: [.stratd],
            facts: ["malformed"],
            meaning: "Some rows have another form than is known. Their tokens are not compared, the others are.",
            advice: "If it lasts, report it: the venue may have changed its format."),
        Entry(
            "The venue calls an order by another id than its hash", "order_misnamed", .critical,
            id: "94c0f2be61a74a2d8d5b7e3a1f0c6d92", by: [.stratd], facts: ["order", "hash"],
            meaning: "Nothing that the venue says of its orders can be matched with ours. Trading is halted.",
            advice:
                "Cancel everything with sudo polybot cancel-all --service, and use a version that knows the venue's ids."
        ),
        Entry(
            "An order of unknown fate never came to the venue", "order_never_came", .notice, by: [.stratd],
            facts: ["order", "hash"],
            meaning:
                "Thirty seconds and several reads of orders and trades after its request had ended, the venue knows nothing of it."
        ),
        Entry(
            "The venue's orders were compared with the ledger", "orders_compared", .debug, by: [.stratd],
            facts: ["orders", "unknown"],
            meaning: "The list of open orders was read; what differed is looked at order by order."),
        Entry(
            "A trade failed on the chain and was taken back", "settlement_failed", .error,
            id: "3d81c7a9e5f24c6fb0a2d4e6c8b1f753", by: [.stratd], facts: ["order", "trade", "market"],
            meaning: "The venue matched it, the chain did not take it. Shares and money are as before.",
            advice: "Nothing, if it is rare. When it is not, see the allowances with sudo polybot doctor --service."),

        Entry(
            "The account traded by an order that the ledger does not know", "foreign_trade", .warning,
            id: "6f0f6a3d1c6e4d7e9f5b2b8d5a7c9e41", by: [.stratd],
            facts: ["hash", "trade", "market", "side", "price", "size"],
            meaning: """
                The order was sent just before a loss of power, or by somebody else. The trade is booked for no strategy; where the \
                feed does not know the token, trading halts.
                """,
            advice: """
                Where it was somebody else, give stratd an account of its own. After a halt resume: the balance then shows what the trade \
                took or brought, and a second resume takes that over.
                """),
        Entry(
            "The venue filled an order at a worse price than it allows", "filled_beyond_limit", .critical,
            id: "c2f4b90d7a6a4c2a8a3e5f1d0b9c8e72", by: [.stratd], facts: ["order", "market", "price", "limit"],
            meaning: "The trade is booked as the venue tells it, and trading halts.",
            advice: "Compare the trade with the venue's own pages, then resume."),
        Entry(
            "The venue lets this account trade no more", "account_barred", .critical,
            id: "a1d4f8c25b7e4d0396e8c7a2f5b01d3c", by: [.stratd], facts: ["reason"],
            meaning:
                "The venue refused an order because the account is banned or may only close what it holds; trading halts.",
            advice: "See the account on the venue's own pages."),
        Entry(
            "The log-in to the venue failed", "login_failed", .warning, by: [.stratd], facts: ["reason"],
            meaning:
                "The venue no longer knew the credentials, and new ones could not be had, or are not asked for as an operator gave those. It is tried again.",
            advice: "When it goes on, run sudo polybot doctor --service."),

        // Trading.
        Entry(
            "Trading is halted", "trading_halted", .error, id: "0b0b7113523151416aafcbf7a2651485", by: [.stratd],
            facts: ["reason"],
            meaning: """
                No order leaves, open ones are ended. Reasons: operator, halt_file, daily_loss, max_drawdown, \
                rules_changed, unknown_orders, error_rate, balance, positions, foreign_trade, price, account, \
                order_id, rejected, another_stratd, journal, ledger.
                """,
            advice: "Find the cause, remove it, then resume. A halt survives restarts."),
        Entry(
            "Trading is resumed", "trading_resumed", .notice, id: "3204fd67ca645bf05a64f130d0588351", by: [.stratd],
            meaning: "An operator ended the halt; strategies quote again."),
        Entry(
            "The rules of a market changed, strategies leave it", "rules_changed", .error,
            id: "7be1f0a94c5d4e0f8a3b6d2c19e7540a", by: [.stratd], facts: ["market", "change"],
            meaning:
                "What the market settles on, its window or its outcomes are told otherwise than before, so that a share "
                + "of it is worth something else. Its orders are cancelled and strategies place none, restarts included.",
            advice:
                "Read the market's rules at the venue. polybot resume takes all changed rules as they are; polybot flatten "
                + "sells what is held."),
        Entry(
            "An operator gave a command", "command_given", .notice, id: "d8e0de1f42e25fbd2f09258b33ccd67e",
            by: [.stratd], facts: ["command", "uid", "reason", "limit_name", "value"],
            meaning: "Somebody who may do so gave stratd an order. Whether it was done stands in the answer.",
            advice: "Nothing, if it was you."),
        Entry(
            "The clock was set", "clock_set", .warning, by: [.stratd], facts: ["step_ms"],
            meaning:
                "The time of day went ahead, or back, by so much more than really passed. In live trading nothing is placed "
                + "and no day begins until the venue has told the time again.",
            advice: "After a suspended machine this is so. Otherwise look at what sets the clock."),
        Entry(
            "A limit that an operator set holds", "set_limit_holds", .notice, by: [.stratd],
            facts: ["limit_name", "value", "configured"],
            meaning:
                "Told at a start: polybot set-limit changed this limit, and the configuration says what it said then.",
            advice: "polybot set-limit with the configured value ends it, as does another value in the configuration."),
        Entry(
            "A limit that an operator set gives way to the configuration", "set_limit_ended", .notice, by: [.stratd],
            facts: ["limit_name", "value", "configured"],
            meaning: "Told at a start: the configuration was changed after the limit was set, and has the later word."),
        Entry(
            "Refused a command of somebody who is no operator", "command_refused", .warning,
            id: "8fce7a70c504d42db9fe643ebc081034", by: [.stratd], facts: ["command", "uid", "pid"],
            meaning:
                "A process may read stratd's socket and tried to command, which needs the group polybot-operators.",
            advice: "Put that user into the group, if it shall command. Otherwise ask why it tried."),
        Entry(
            "Market left", "market_left", .notice, by: [.stratd],
            meaning:
                "Flattening a market has ended; nothing_held says whether all was sold. Else sixty sales found no buyer for all, or "
                + "what is left is less than the market takes.",
            advice: "Where something is still held, look at the book, and flatten again."),
        Entry(
            "Orders were still open at the end", "orders_left_open", .warning, id: "3250c88f81636af4a2aadfcd5e42fe92",
            by: [.stratd], facts: ["orders"],
            meaning: "stratd stopped before the venue had confirmed the cancels of its orders.",
            advice: "Start stratd again: it takes them up from its ledger."),

        Entry(
            "The ledger's last records may not be on the disk", "ledger_end_unsafe", .error, by: [.stratd],
            meaning: "stratd stopped, and the disk did not answer in time or refused what was appended last.",
            advice:
                "Look at the disk before the machine is switched off; at the next start, whether trading is halted as it was."
        ),

        // Orders.
        Entry(
            "Order refused", "order_refused", .debug, by: [.stratd],
            meaning: "The risk gate did not let an order leave; code and detail say which limit stood against it."),
        Entry(
            "Order rejected by the venue", "order_rejected", .info, by: [.stratd],
            meaning: """
                The venue did not take an order; the code is its reason. Its strategy places nothing in that market for a time that \
                doubles from half a second to thirty, until an order is taken.
                """,
            advice: "Nothing for one. If all are rejected, read the code."),
        Entry(
            "Order not sent", "order_withheld", .info, by: [.stratd],
            meaning:
                "An order was approved and did not leave: trading halted, the venue closed or its rate limit was used up; the code says which.",
            advice: "Nothing for one. If none leaves, read the code."),
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
