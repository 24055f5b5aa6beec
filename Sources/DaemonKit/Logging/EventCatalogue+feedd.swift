import Logging

extension EventCatalogue {
    static let feedEntries: [Entry] = [
        // What to carry.
        Entry(
            "Universe received", "universe_received", .info, by: [.feedd],
            meaning: "The scanner told which markets are watched."),
        Entry(
            "A universe of the scanner is not whole, or too large", "universe_unusable", .warning, by: [.feedd],
            facts: ["found", "limit"],
            meaning: "Parts of a universe are missing, or do not end. What was carried before is carried on.",
            advice: "See that scannerd is of the same version; then restart it."),
        Entry(
            "Cannot read a frame of the scanner", "scanner_frame_unreadable", .error, by: [.feedd],
            meaning: "The scanner sent something that this version does not understand. What was known stays.",
            advice: "Restart all units, so that both daemons are of one version."),
        Entry(
            "Outcomes of a market changed", "outcomes_changed", .warning, id: "51c0a1c9feaea53c899afa4a2ef2aadb",
            by: [.feedd], facts: ["market"],
            meaning:
                "The venue now names other outcomes or tokens for a market. It is dropped and carried as a new one.",
            advice: "Compare the market's page with what strategies assume of it before you trust its prices."),
        Entry(
            "Too many markets, one is left out", "market_over_limit", .warning, by: [.feedd],
            meaning: "As many markets are carried as feedd can; this one is not.",
            advice: "Watch fewer markets, or end subscribers that name many."),
        Entry(
            "A market has another's tokens and is left out", "market_with_foreign_tokens", .warning, by: [.feedd],
            meaning: "Two markets claim the same token, and only the first is carried.",
            advice: "Nothing unless you need that market: the listing is wrong."),
        Entry(
            "Cannot learn a named market's terms", "market_terms_unknown", .warning, by: [.feedd],
            meaning: "A subscriber named a market that the scanner does not list, and the venue did not describe it.",
            advice: "See the reason: the market may not exist, or the venue's REST interface cannot be reached."),

        // The line.
        Entry(
            "Market channel connected", "line_connected", .info, id: "e99d785860dc224ea2c133fe2e0dce03", by: [.feedd],
            facts: ["connection", "tokens", "compression"],
            meaning:
                "A connection to the venue's market channel is open. feed.compression asks for compressed messages."),
        Entry(
            "Market channel lost", "line_lost", .warning, id: "70ab05c4603a17a347767e575bc421d4", by: [.feedd],
            facts: ["connection", "reason"],
            meaning: "A connection to the venue's market channel broke. It is opened anew, with growing pauses.",
            advice: "Nothing if it comes back. If it does so often, look at the network and at the venue's status page."
        ),
        Entry(
            "Market channel cannot be reached", "line_unreachable", .warning, id: "ab1059512f46372d62ddfffc8ebae45b",
            by: [.feedd], facts: ["connection", "reason"],
            meaning: "An attempt to connect to the venue's market channel failed. Another follows.",
            advice: "If it lasts, check names, proxy, certificates and venue.market_ws_url; polybot test-ws helps."),
        Entry(
            "Another connection leads", "leader_changed", .warning, by: [.feedd],
            facts: ["market", "reason", "connection"],
            meaning:
                "The connection whose books were published failed for this market; the other's are published from now on.",
            advice: "Nothing: that is what the second connection is for. If it happens often, look at the reasons."),
        Entry(
            "A connection says nothing while the other does", "line_silent", .warning, by: [.feedd],
            facts: ["connection", "seconds"],
            meaning:
                "Two connections carry the same markets, and only one brings news of them. The other is opened anew.",
            advice: "Nothing if it comes back. If it does so often, look at the network and at the venue's status page."
        ),
        Entry(
            "A connection tells books that are not the venue's", "line_lied", .warning, by: [.feedd],
            facts: ["market", "connection"],
            meaning:
                "Two connections told two books of one moment, and the REST interface showed the other's. That one is believed; this one is opened anew, and does not lead for a minute at least.",
            advice:
                "If it comes again, somebody on the way may be changing what you are told: look at proxy and certificates."
        ),
        Entry(
            "A market that always talks says nothing", "market_silent", .notice, by: [.feedd],
            facts: ["market", "connection", "seconds"],
            meaning:
                "A market has been silent for much longer than it ever was in its last minute of talk. Its book is asked for anew.",
            advice: "Nothing: if something was lost, the book that comes heals it."),
        Entry(
            "WebSocket unavailable, falling back to REST polling", "fallback_began", .warning,
            id: "a8703eeeb87660bc20c15c02675e1070", by: [.feedd],
            meaning: "No market channel for too long: books are polled. They are older, and prints are missing.",
            advice: "Look at the reasons of the lines before this one. Trading goes on with what the polls confirm."),
        Entry(
            "WebSocket is back, REST polling ends", "fallback_ended", .info, id: "e747084e58418e3e4fae0daae0ce1740",
            by: [.feedd], meaning: "Every market has a line again; books come from the market channel."),
        Entry(
            "Nothing is left to poll", "fallback_idle", .info, by: [.feedd],
            meaning: "No market without a line is carried any more, so REST polling ends; the WebSocket is still away."),
        Entry(
            "REST polling fails", "polling_failing", .warning, by: [.feedd],
            meaning: "Polls go unanswered while there is no market channel either. Books lose their trust soon.",
            advice: "Look at the network, and whether the venue answers at venue.clob_url."),
        Entry(
            "REST polling works", "polling_works", .info, by: [.feedd],
            meaning: "A poll was answered after some were not."),
        Entry(
            "The REST interface keeps failing and is left alone for a while", "breaker_opened", .warning,
            id: "af2c7b08bab63658f6da44392a855874", by: [.feedd], facts: ["reason", "seconds"],
            meaning: "feed.breaker_errors requests in a row failed. None is made for feed.breaker_timeout_s seconds.",
            advice: "Read the reason. A limit of the venue needs patience, a network that is down needs you."),

        // Books.
        Entry(
            "Book is not trusted", "book_distrusted", .warning, id: "9b5860d9ebfb7694d7539c188d3c86c8", by: [.feedd],
            facts: ["market", "reason"],
            meaning:
                "What is known of a book contradicts the venue or itself. Nobody trades on it until it is right again.",
            advice:
                "Nothing if \"Book is trusted again\" follows in seconds. If one market keeps failing, leave it out."),
        Entry(
            "Books are not trusted, their line was lost", "books_distrusted", .warning,
            id: "522f3a4038c9debf59a09d40eab85183", by: [.feedd], facts: ["connection", "books", "reason"],
            meaning:
                "A line broke or went silent: none of its books is trusted until it is back or polls confirm them.",
            advice: "As for the line itself: nothing if it comes back."),
        Entry(
            "Books are not trusted, no poll confirmed them", "books_stale", .warning,
            id: "18be373140ddcb20b55f5db5f8dd38dd", by: [.feedd], facts: ["books"],
            meaning: "Polled books are believed for three polls, and their polls failed or left them out.",
            advice: "Look at \"REST polling fails\" and its reason."),
        Entry(
            "Book is trusted again", "book_trusted", .info, id: "049443904f0dc69fa71a814e819dbe60", by: [.feedd],
            facts: ["market"], meaning: "A book whose trouble was told is right again."),
        Entry(
            "All books are trusted", "all_books_trusted", .info, id: "fb9c4fa6a2c0347dee1aa80d6b35381b", by: [.feedd],
            facts: ["books"], meaning: "Every book that is carried is trusted; before this, one or more were not."),
        Entry(
            "Cannot fetch a book", "book_not_fetched", .warning, by: [.feedd],
            meaning: "A snapshot was needed and the venue's REST interface did not give it. It is asked again.",
            advice: "If it lasts, read the reason: the network, or a limit of the venue."),
        Entry(
            "Not every hash is compared", "hashes_sampled", .warning, id: "db6b2bd64b8649ddab59bb6a24258ba9",
            by: [.feedd],
            facts: ["permille", "budget_percent"],
            meaning:
                "So many messages come that comparing each with the venue's hash would cost more than feed.hash_budget_percent.",
            advice:
                "Nothing: what is not compared is not called settled. Watch fewer markets, or allow more, if it lasts."),
        Entry(
            "Every hash is compared again", "hashes_whole", .notice, id: "08b716151459450c99b71fc2c2007056",
            by: [.feedd],
            meaning: "For ten seconds each message was compared with the venue's hash."),

        // The venue's words.
        Entry(
            "The venue sent a text that cannot be read", "venue_text_unreadable", .error,
            id: "7c824af16d94609b8440dc849a68fee5", by: [.feedd], facts: ["connection", "reason"],
            meaning:
                "The market channel said something against its own format. The line begins anew, with all its books.",
            advice: "If it comes again, the venue changed its format: halt trading and look for a new version."),
        Entry(
            "The venue sent a notice", "venue_notice", .warning, by: [.feedd],
            meaning: "The market channel said something in words instead of data.",
            advice: "Read the text. A refused subscription stands here."),
        Entry(
            "Tick size changed", "tick_size_changed", .info, by: [.feedd],
            meaning: "The venue changed the step of a market's prices. The book is fetched anew."),
        Entry(
            "Market resolved", "market_resolved", .info, .notice, by: [.feedd, .stratd],
            meaning:
                "The venue settled a market; \"none\" where it named no winner. Its book ends, positions are settled.",
            advice: "Nothing. Compare the winner with what you expected if you held some of it."),
        // Reference prices.
        Entry(
            "Connected to Binance", "binance_connected", .info, by: [.feedd], facts: ["connection"],
            meaning: "A connection to Binance's market data is open. Each is replaced before its day is over."),
        Entry(
            "A connection to Binance ended", "binance_ended", .warning, by: [.feedd], facts: ["connection", "reason"],
            meaning: "A connection to Binance's market data broke or could not be made. Another follows.",
            advice:
                "If it lasts, see venue.binance_ws_url: where Binance is closed, wss://data-stream.binance.vision may be open; empty text turns it off."
        ),
        Entry(
            "No connection to Binance is left", "binance_lost", .warning, id: "cb75412942c4f0da5641626f634fa77d",
            by: [.feedd],
            meaning: "Prices of Binance, and estimates that are made of them, stand still until one is back.",
            advice: "Nothing if it comes back. If it does so often, look at the network."),
        Entry(
            "Binance refused a command", "binance_refused", .warning, by: [.feedd], facts: ["reason"],
            meaning: "What was asked for is not sent.", advice: "Read the reason, and look for a new version."),
        Entry(
            "Connected to the venue's price stream", "price_stream_connected", .info, by: [.feedd],
            meaning: "The stream of the prices that markets settle on is open, and took the credentials."),
        Entry(
            "The connection to the venue's price stream ended", "price_stream_ended", .warning, by: [.feedd],
            facts: ["reason"],
            meaning: "It broke or could not be made. Another follows; until then averages are estimated.",
            advice: "If it lasts, look at the network and at venue.prices_ws_url."),
        Entry(
            "The venue's price stream refused a request", "price_stream_refused", .warning, by: [.feedd],
            facts: ["code", "symbol"],
            meaning: "The credentials, or a symbol, were refused. Averages are estimated meanwhile.",
            advice: "auth_invalid: put other credentials into readonly_api_credentials, then restart feedd."),
        Entry(
            "A source of reference prices sent a text that cannot be read", "price_text_unreadable", .warning,
            by: [.feedd], facts: ["source", "reason"],
            meaning: "The text is passed over: the next price says the same anew.",
            advice: "If it comes again, the source changed its format: look for a new version."),
        Entry(
            "Average prices are estimates", "prices_estimated", .notice, id: "04b1a15efedee460a38e078d4f6c7a69",
            by: [.feedd], facts: ["symbol"],
            meaning:
                "The venue's own averages of a symbol are not heard. They are reckoned from Binance's trades and labelled as estimates.",
            advice:
                "Nothing on paper. For the venue's own, credentials for reading must stand in readonly_api_credentials."
        ),
        Entry(
            "Average prices are the venue's", "prices_of_venue", .notice, id: "7dcf6884cf7d051cd0911c1641c8c437",
            by: [.feedd], facts: ["symbol"],
            meaning: "Averages of a symbol, estimated before, come from the venue's price stream."),
        Entry(
            "A subscriber asks for reference prices that are not known", "price_symbol_unknown", .warning,
            by: [.feedd], facts: ["symbol"], meaning: "No source tells the price of what a subscriber named.",
            advice: "Mend the subscriber: names are written like btcusd."),

        Entry(
            "The raw journal loses lines", "raw_journal_down", .error, id: "0b4493d989c921eabeb6f3a67ca4a3d6",
            by: [.feedd],
            facts: ["reason", "lines"],
            meaning:
                "What the venue sends is not kept on disk at present. Books are not touched by it; the file will tell of the gap.",
            advice: "Make room on the disk of the state directory, or allow less in feed.journal_max_mb."),
        Entry(
            "The raw journal keeps lines again", "raw_journal_works", .notice, id: "8dc33db211f7d14af77f7fcb48c001b5",
            by: [.feedd], facts: ["lines"],
            meaning: "The disk takes what the venue sends again; so many lines are missing between."),
        Entry(
            "Waiting for a subscriber to play the journal for", "replay_waiting", .notice, by: [.feedd],
            meaning: "feedd was started with --replay. It plays from the coming of the first subscriber.",
            advice: "Start whatever is to listen."),
        Entry(
            "Playing the journal", "replay_started", .notice, by: [.feedd], facts: ["speed"],
            meaning: "A raw journal is published in the place of what the venue sends: the books are of another time."),
        Entry(
            "The journal is damaged", "replay_damaged", .warning, by: [.feedd], facts: ["reason"],
            meaning:
                "A file or a line of the journal that is played cannot be read and is left out. Where lines are missing, all books are untrusted.",
            advice: "See the reason: a journal that ends in the middle of a block was cut off by a crash."),
        Entry(
            "The journal was played to its end", "replay_ended", .notice, by: [.feedd],
            facts: ["lines", "runs", "gaps", "malformed"],
            meaning: "All markets were taken away, and feedd ends."),
        Entry(
            "Books come later than they should", "latency_above_target", .warning,
            id: "d85e4f43584df779e425c5159ba687ae",
            by: [.feedd], facts: ["p99_us", "target_us"],
            meaning:
                "In one second more than one text of a hundred took longer from the venue than feed.target_latency_ms.",
            advice: "Compare the venue's part with our own in the metrics: the network, or this machine, is slow."),
        Entry(
            "Books come in time again", "latency_in_target", .notice, id: "dceabe4bffdc15b0e18a494b4164c16b",
            by: [.feedd],
            facts: ["p99_us", "target_us"],
            meaning: "Ten seconds with texts, one after another, kept within feed.target_latency_ms."),
        Entry(
            "Lines were left out", "log_lines_left_out", .warning, by: [.feedd, .stratd],
            meaning: "A sentence came so often that only some lines were written; so many more were not.",
            advice: "Read the lines of the sentence that are there; the daemon's counters have all."),
    ]
}
