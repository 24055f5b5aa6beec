import Shared

/// How far the venue's Data API is behind the chain, by its own word. Source: `/v2/status` as served in September 2026.
///
/// It tells of several parts, of which any may be the one that positions come from: the slowest counts.
struct DataStatus: Hashable, Sendable {
    static let path = "/v2/status"
    /// About what the chain takes for a block.
    private static let blockDuration = Duration.seconds(2)
    /// What is further behind is told so.
    static let behindMax = Duration.seconds(86_400)

    let behind: Duration

    /// - Returns: `nil` for what tells nothing of it.
    init?(_ answer: JSONValue) {
        guard let data = answer["data"], let serving = data["serving"] else { return nil }
        func seconds(_ value: JSONValue?) -> Duration? { Self.duration(value, of: .seconds(1)) }
        func blocks(_ value: JSONValue?) -> Duration? { Self.duration(value, of: Self.blockDuration) }
        let mechanisms = serving["mechanisms"]?.array ?? []
        let delays =
            [seconds(serving["lag_seconds"]), blocks(data["ingestion"]?["most_lagged"]?["behind_max"])]
            + mechanisms.flatMap { [seconds($0["age_seconds"]), blocks($0["blocks_behind"])] }
        guard let slowest = delays.compactMap(\.self).max() else { return nil }
        // What it tells is as old as it says.
        self.behind = min(Self.behindMax, slowest + (seconds(data["age_seconds"]) ?? .zero))
    }

    private static func duration(_ value: JSONValue?, of unit: Duration) -> Duration? {
        guard let count = value?.integer, count >= 0 else { return nil }
        return unit * min(count, Self.behindMax.components.seconds)
    }
}
