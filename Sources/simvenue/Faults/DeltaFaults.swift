import Shared

/// Spoils deltas between the venue's core and the sockets, so that it works for any core.
struct DeltaFaults: Sendable {
    /// Orders that wait for their deltas.
    static let waitingCountMax = 64
    /// Deltas held back at a time; above that they pass.
    static let heldCountMax = 10_000
    /// A delta to be reordered comes after so many milliseconds if no other operation follows.
    static let reorderMax: Int64 = 10_000

    private struct Waiting: Sendable {
        var fault: DeltaFault
        /// `nil` for any market.
        let slot: Int?
    }

    private struct Held: Sendable {
        let audience: Audience
        let others: [Audience]
        let bytes: [UInt8]
        let due: Int64
        /// Set when it only waits for a delta of another hash.
        let hash: [UInt8]?
    }

    private var waiting: [Waiting] = []
    private var held: [Held] = []

    /// Whether it has nothing to do.
    var isIdle: Bool { self.waiting.isEmpty && self.held.isEmpty }

    /// When the next held delta is due.
    var nextTime: Int64? { self.held.map(\.due).min() }

    /// - Returns: whether there was room for it.
    mutating func add(_ fault: DeltaFault, slot: Int?) -> Bool {
        guard self.waiting.count < Self.waitingCountMax else { return false }
        self.waiting.append(Waiting(fault: fault, slot: slot))
        return true
    }

    /// Forgets what waits. What is held comes at once.
    mutating func heal(at time: Int64) {
        self.waiting = []
        self.held = self.held.map {
            Held(audience: $0.audience, others: $0.others, bytes: $0.bytes, due: time, hash: nil)
        }
    }

    /// The market in `slot` is no more.
    mutating func forget(slot: Int) {
        self.waiting.removeAll { $0.slot == slot }
        self.held.removeAll { $0.audience.slot == slot }
    }

    /// What leaves in the place of `batch` at `time`.
    ///
    /// - Parameter isWanted: whether somebody subscribed to it; no fault is wasted on others.
    mutating func spoil(
        _ batch: inout MessageBatch, at time: Int64, isWanted: (MessageBatch.Entry) -> Bool
    ) {
        guard !self.isIdle else { return }
        var spoilt = MessageBatch()
        for entry in batch.entries {
            let bytes = Array(batch.bytes[entry.range])
            guard bytes.firstRange(of: #""price_change""#.utf8) != nil, isWanted(entry) else {
                spoilt.append(for: entry.audience, others: entry.others) { $0 += bytes }
                continue
            }
            self.pass(bytes, of: entry, at: time, into: &spoilt)
            self.release(into: &spoilt) { held in
                held.hash != nil && held.audience.slot == entry.audience.slot && held.hash != Self.hash(in: bytes)
            }
        }
        self.release(into: &spoilt) { $0.due <= time }
        batch = spoilt
    }

    private mutating func release(into batch: inout MessageBatch, where isDue: (Held) -> Bool) {
        guard !self.held.isEmpty else { return }
        for held in self.held where isDue(held) {
            batch.append(for: held.audience, others: held.others) { $0 += held.bytes }
        }
        self.held.removeAll(where: isDue)
    }

    private mutating func pass(
        _ bytes: [UInt8], of entry: MessageBatch.Entry, at time: Int64, into batch: inout MessageBatch
    ) {
        func send(_ bytes: [UInt8]) { batch.append(for: entry.audience, others: entry.others) { $0 += bytes } }
        switch self.take(entry) {
        case nil: send(bytes)
        case .lost: break
        case .doubled:
            send(bytes)
            send(bytes)
        case .late(let delay):
            if !self.hold(bytes, of: entry, until: time + delay, hash: nil) { send(bytes) }
        case .reordered:
            if !self.hold(bytes, of: entry, until: time + Self.reorderMax, hash: Self.hash(in: bytes) ?? []) {
                send(bytes)
            }
        case .wrongSize: send(Self.replacing(#""size":""#, in: bytes) { [UInt8(ascii: "1"), $0] })
        case .wrongHash:
            send(Self.replacing(#""hash":""#, in: bytes) { [UInt8(ascii: $0 == UInt8(ascii: "0") ? "1" : "0")] })
        case .cut: send(Array(bytes.prefix(bytes.count / 2)))
        }
    }

    /// What is to happen to a delta, used up with it.
    private mutating func take(_ entry: MessageBatch.Entry) -> DeltaFault.Kind? {
        let slots = [entry.audience.slot] + entry.others.map(\.slot)
        guard let index = self.waiting.firstIndex(where: { $0.slot == nil || slots.contains($0.slot) }) else {
            return nil
        }
        self.waiting[index].fault.count -= 1
        let fault = self.waiting[index].fault
        if fault.count <= 0 { self.waiting.remove(at: index) }
        return fault.kind
    }

    private mutating func hold(
        _ bytes: [UInt8], of entry: MessageBatch.Entry, until due: Int64, hash: [UInt8]?
    ) -> Bool {
        guard self.held.count < Self.heldCountMax else { return false }
        self.held.append(
            Held(audience: entry.audience, others: entry.others, bytes: bytes, due: due, hash: hash))
        return true
    }

    /// The first hash that a delta names.
    private static func hash(in bytes: [UInt8]) -> [UInt8]? {
        bytes.firstRange(of: #""hash":""#.utf8).map { Array(bytes[$0.upperBound...].prefix(40)) }
    }

    /// With the first byte after each `mark` replaced.
    private static func replacing(_ mark: String, in bytes: [UInt8], by change: (UInt8) -> [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let range = rest.firstRange(of: mark.utf8), range.upperBound < rest.endIndex {
            result += rest[..<range.upperBound]
            result += change(rest[range.upperBound])
            rest = rest[(range.upperBound + 1)...]
        }
        return result + rest
    }
}
