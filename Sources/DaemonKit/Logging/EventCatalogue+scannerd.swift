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
            "Market added", "market_added", .info, by: [.scannerd],
            meaning: "A market that passes the filter is watched from now on."),
        Entry(
            "Market changed", "market_changed", .warning, id: "0df94614a1397c9165a69c588adfb9bc", by: [.scannerd],
            facts: ["market", "changed"],
            meaning: "Terms of a watched market are others than before: its end, its tick, its fees or its words.",
            advice: "If outcomes, end or fees changed, look whether your position still means what you thought."),
        Entry(
            "Market removed", "market_removed", .info, by: [.scannerd],
            meaning: "A market is watched no more: it ended, was resolved, fails the filter or is outranked."),
    ]
}
