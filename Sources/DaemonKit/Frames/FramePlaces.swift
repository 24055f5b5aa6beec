import Shared

/// Who gets one of a server's connections. Whoever merely reads can keep neither an operator nor a daemon out, nor all other
/// readers, and cannot fill the memory with parts of frames.
public enum FramePlaces {
    /// Connections at a time; one more is told `too_many`.
    public static let countMax = 256
    /// Of these, only operators and daemons get the last.
    public static let reservedCount = 16
    /// Connections of one user who is neither.
    public static let readerCountMax = 64
    /// Largest frame body from one who is neither: some 900 markets in a `subscribe`. Parts of frames are held for each.
    public static let readerFrameByteCountMax = 64 << 10

    /// Why `newcomer` gets no connection beside those `present`; `nil` when it does.
    static func refusal(of newcomer: PeerCredentials, among present: some Collection<PeerCredentials>) -> String? {
        guard present.count < Self.countMax else { return "\(Self.countMax) connections are open" }
        guard newcomer.isMereReader else { return nil }
        let readers = present.filter(\.isMereReader)
        if readers.count >= Self.countMax - Self.reservedCount {
            return "\(readers.count) connections of readers are open"
        }
        let own = readers.count { $0.uid == newcomer.uid }
        return own < Self.readerCountMax ? nil : "\(own) connections of yours are open"
    }
}
