import Logging

extension EventCatalogue {
    static let scannerEntries: [Entry] = [
        Entry(
            "First pass over the listing is done", "first_pass_done", .info, by: [.scannerd],
            meaning: "The venue's listing was read whole; the universe is published from now on."),
        Entry(
            "The listing could not be read, the universe stays as it is", "listing_unreadable", .warning,
            id: "3d44ca7445f111a1b656c6f63d214e49", by: [.scannerd], facts: ["reason"],
            meaning: "A pass over the venue's listing failed. Nothing is added or removed until one succeeds.",
            advice: "If it lasts, check the network and venue.gamma_url; polybot scan-markets shows what is read."),
        Entry(
            "The listing can be read again", "listing_readable", .info, by: [.scannerd], facts: ["passes_failed"],
            meaning: "The first pass after failed ones was read whole."),
        Entry(
            "The order book service could not be read, what it confirmed counts", "terms_unreadable", .warning,
            id: "d396c0ffd0c54c9dac9a58d7c4f97753", by: [.scannerd], facts: ["reason"],
            meaning:
                "Questions to the venue's order book service fail. Watched markets stay, with the rules that are known; "
                + "new ones wait, and changed rules are heard of from the listing alone.",
            advice: "If it lasts, check the network and venue.clob_url."),
        Entry(
            "The order book service can be read again", "terms_readable", .info, by: [.scannerd],
            meaning: "A round of questions to the venue's order book service went without a failure."),
        Entry(
            "The venue asked to be left alone for a while", "venue_pause_asked", .warning,
            id: "f03974a8ba6212de169ed135fb47abe4", by: [.scannerd], facts: ["reason", "seconds"],
            meaning:
                "The venue answered that it is asked too often, and for how long it wants a pause. Until then nothing "
                + "is asked of that service; the universe stays as it is.",
            advice: "If it comes again, look what else asks the venue from the same address."),
        Entry(
            "Market added", "market_added", .info, by: [.scannerd],
            meaning: "A market that passes the filter is watched from now on."),
        Entry(
            "Market changed", "market_changed", .warning, id: "0df94614a1397c9165a69c588adfb9bc", by: [.scannerd],
            facts: ["market", "slug", "changed", "terms"],
            meaning:
                "Rules of a watched market are others than before: what it is decided by, its window, its fees, its "
                + "tick, its least size or its delay. terms tells old and new.",
            advice: "If outcomes, end, source or fees changed, look whether your position still means what you thought."
        ),
        Entry(
            "Market described anew", "market_described", .info, by: [.scannerd], facts: ["market", "changed"],
            meaning: "Words or rewards of a watched market are others than before; its rules are not."),
        Entry(
            "The universe is that of the file until the listing is read", "universe_restored", .info, by: [.scannerd],
            facts: ["markets", "age_s"],
            meaning: "The daemon began with the markets that it watched when it last ran."),
        Entry(
            "The universe's file cannot be used", "universe_file_unusable", .warning,
            id: "7c5f2ff2f2b94f0c8d2bb2b1f0b3a7e6", by: [.scannerd], facts: ["reason"],
            meaning:
                "The file with the last universe is broken. Nothing is lost: the listing is read as at a first start.",
            advice: "If it comes again, look at the disk."),
        Entry(
            "The universe's file cannot be written", "universe_file_unwritable", .warning,
            id: "b1e0a6d3c5a44a3e9a0f6d7c8e9b1a24", by: [.scannerd], facts: ["reason"],
            meaning: "The universe is not kept on disk for now. All else goes on.",
            advice: "Look whether the disk is full, and whether the state directory is the daemon's."),
        Entry(
            "Cannot read a frame of another daemon", "peer_frame_unreadable", .error,
            id: "5d0e8f0a4b1c4d6f9e7a2b3c4d5e6f70", by: [.scannerd], facts: ["type", "reason"],
            meaning: "feedd or stratd sent something that this version cannot read; it is passed over.",
            advice: "Run all daemons in one version."),
        Entry(
            "Market removed", "market_removed", .info, by: [.scannerd],
            meaning: "A market is watched no more: it ended, was resolved, fails the filter or is outranked."),
    ]
}
