import Shared

/// The kill-switch of each API key. Source: reference, 2.8.
///
/// The first accepted heartbeat arms it, and nothing disarms it again. A key without an accepted one for ten seconds
/// loses its open orders at the next check, every five seconds: also those that it places later, until it is heard again.
struct Heartbeats: Sendable {
    static let silenceMax = Duration.seconds(10)
    static let checkInterval = Duration.seconds(5)
    /// Bytes of an id that is compared at all.
    static let idByteCountMax = 64

    private struct Line: Sendable {
        var id: String
        var acceptedTime: Timestamp
    }

    private var lines: [String: Line] = [:]
    /// `nil` until a key is armed.
    private(set) var nextTime: Timestamp?

    var armedCount: Int { self.lines.count }

    /// What the key must send next; empty before its first.
    func expectedID(_ key: String) -> String { self.lines[key]?.id ?? "" }

    /// Takes a heartbeat whose id is the expected one.
    ///
    /// - Parameter nextID: what the key must send next.
    /// - Returns: whether it was; otherwise nothing has changed.
    mutating func accept(_ id: String, from key: String, nextID: String, at time: Timestamp) -> Bool {
        guard id == self.expectedID(key) else { return false }
        self.lines[key] = Line(id: nextID, acceptedTime: time)
        if self.nextTime == nil { self.nextTime = time + Self.checkInterval }
        return true
    }

    /// The keys that were silent too long, in order, when a check is due at `time`.
    mutating func check(at time: Timestamp) -> [String] {
        guard var next = self.nextTime, next <= time else { return [] }
        while next <= time { next = next + Self.checkInterval }
        self.nextTime = next
        return self.lines.filter { time - $0.value.acceptedTime >= Self.silenceMax }.map(\.key).sorted()
    }

    /// Forgets the key, which is revoked.
    mutating func forget(_ key: String) {
        self.lines[key] = nil
        if self.lines.isEmpty { self.nextTime = nil }
    }
}
