import Shared

/// What a market's new description means for who trades there.
///
/// Some terms say what a share is worth: on what and over which time the market settles, and which token stands for which
/// outcome. When one of them changes, what was reckoned before is about another market: strategies leave it until a
/// person resumes. All others, such as tick, smallest order, fee and delay, are taken over: the next quotes obey them, and orders that no longer
/// fit are cancelled.
enum RuleChange {
    /// Names as `market` frames have them.
    private static let ending: Set = [
        "end_time", "neg_risk", "outcomes", "resolution_source", "settlement", "start_time",
    ]
    /// What was not known before is learned, not changed.
    private static let learned: Set = ["resolution_source", "start_time"]
    /// Bytes of the description that is kept.
    static let textByteCountMax = 400

    /// - Returns: what changed that ends trading, as "settlement chainlink_twap_60 -> other"; `nil` for nothing.
    static func text(from old: Market, to new: Market) -> String? {
        guard old != new, let change = MarketChanged(from: old, to: new) else { return nil }
        let names = change.changed.filter { name in
            Self.ending.contains(name) && !(Self.learned.contains(name) && change.old[name] == nil)
        }
        guard !names.isEmpty else { return nil }
        return change.description(of: names).shortened(toByteCount: Self.textByteCountMax)
    }
}
