import Shared

/// Who is to get a message of the market channel.
struct Audience: Hashable, Sendable {
    /// Bit of an outcome in `tokens`.
    static let first: UInt8 = 1
    static let second: UInt8 = 2
    static let both: UInt8 = 3

    /// Slot of the market; `nil` for a broadcast to all who subscribed to anything.
    let slot: Int?
    /// Outcomes whose subscribers get it.
    let tokens: UInt8
    /// Whether only those get it who asked for the custom features.
    let needsFeatures: Bool

    static func market(_ slot: Int, tokens: UInt8 = Audience.both, needsFeatures: Bool = false) -> Audience {
        Audience(slot: slot, tokens: tokens, needsFeatures: needsFeatures)
    }
    /// Everybody with the custom features, whatever is subscribed.
    static let everybody = Audience(slot: nil, tokens: Audience.both, needsFeatures: true)
    /// Everybody who subscribed to anything.
    static let anybody = Audience(slot: nil, tokens: Audience.both, needsFeatures: false)
}

/// Messages of the market channel in the order in which they leave, each encoded once for all who get it.
struct MessageBatch: Sendable {
    struct Entry: Sendable {
        let audience: Audience
        /// Further markets that the message speaks of; rare, hence beside.
        let others: [Audience]
        let range: Range<Int>
    }

    private(set) var bytes: [UInt8] = []
    private(set) var entries: [Entry] = []
    /// Messages that do not depend on the custom features.
    private(set) var plainCount = 0

    var isEmpty: Bool { self.entries.isEmpty }
    var count: Int { self.entries.count }

    /// Appends the message that `body` writes.
    @inline(__always)
    mutating func append(for audience: Audience, others: [Audience] = [], _ body: (inout [UInt8]) -> Void) {
        let start = self.bytes.count
        body(&self.bytes)
        self.entries.append(Entry(audience: audience, others: others, range: start..<self.bytes.count))
        if !audience.needsFeatures { self.plainCount += 1 }
    }

    /// Empties it and keeps the storage.
    mutating func clear() {
        self.bytes.removeAll(keepingCapacity: true)
        self.entries.removeAll(keepingCapacity: true)
        self.plainCount = 0
    }

    /// The text of the message at `index`, for tests and people.
    func text(at index: Int) -> String { String(decoding: self.bytes[self.entries[index].range], as: UTF8.self) }
}

extension [UInt8] {
    @inline(__always)
    mutating func append(_ text: StaticString) {
        self.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    @inline(__always)
    mutating func append(text: String) { self.append(contentsOf: text.utf8) }
}
