/// Notices when a journal begins to lose lines, and when it keeps them again.
public struct JournalWatch {
    public enum Change: Equatable {
        case lost(reason: String)
        /// With how many were lost meanwhile.
        case kept(lost: Int64)
    }

    /// Whether lines were lost lately, or would be.
    public private(set) var isDown = false
    private var droppedCount: Int64 = 0
    private var droppedCountBefore: Int64 = 0

    public init() {}

    /// Takes in how the journal fares; to be called each second or so.
    public mutating func note(_ status: SegmentedJournal.Status) -> Change? {
        let isLosing = status.failure != nil || status.droppedCount > self.droppedCount
        defer { self.droppedCount = status.droppedCount }
        guard isLosing != self.isDown else { return nil }
        self.isDown = isLosing
        if isLosing {
            self.droppedCountBefore = self.droppedCount
            return .lost(reason: status.failure ?? "the disk is too slow")
        }
        return .kept(lost: status.droppedCount - self.droppedCountBefore)
    }
}
