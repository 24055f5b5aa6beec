public import Shared

/// What becomes of a frame when a subscriber is slow.
public enum FrameClass: Hashable, Sendable {
    /// Never conflated, never dropped: the subscriber is disconnected instead.
    case precious
    /// As `precious`, and part of what a subscriber is told first: outside the queue's bound, with one of its own.
    case opening
    /// The next one says the same anew: left out while the queue is full.
    case status
    /// The latest value of something, one of few keys: while it waits, the next one of that key takes its place.
    case latest(Int)
    /// Part of market `n`'s book: replaced by a fresh snapshot.
    case book(n: Int64)
    /// A print of market `n`: its loss is told.
    case trade(n: Int64, received: Timestamp)
}

/// The frames that wait for one subscriber, as a value without I/O.
///
/// Bytes that are ready for the kernel stand in `ready`, at most a chunk and one frame; everything behind them waits as
/// frames, so that a market's backlog can still become one snapshot. Snapshots are asked for only when nothing else
/// waits: that paces first snapshots, keeps them out of the queue's bound, and puts them after everything that was said
/// of their market before.
struct OutputQueue {
    /// Bytes that may wait for a subscriber.
    static let byteCountMax = 1 << 20
    /// Bytes of `opening` frames that may wait besides: 5,000 markets are about 5 MB.
    static let openingByteCountMax = 8 << 20
    /// Bytes given to the kernel at a time.
    static let chunkByteCount = 64 << 10

    struct LostTrades: Equatable {
        var count: Int64 = 0
        var from: Timestamp
        var to: Timestamp
    }

    enum Admission { case queued, overflow }

    private struct Waiting {
        let frame: EncodedFrame
        let frameClass: FrameClass
    }

    /// Bytes for the kernel; sent up to `sentCount`.
    private(set) var ready: [UInt8] = []
    private(set) var sentCount = 0
    private var waiting: [Waiting] = []
    /// First of `waiting` that has not left.
    private var waitingStart = 0
    private var waitingByteCount = 0
    private var openingByteCount = 0
    private var sequence: Int64 = 0
    /// Latest values that wait, by key; they leave before the rest.
    private var latest: [Int: EncodedFrame] = [:]
    /// Markets whose next word is a snapshot.
    private var snapshots: [Int64: PendingSnapshot] = [:]
    /// Their turns. A market that was forgotten or has had its turn may stand here still.
    private var snapshotOrder: [Int64] = []
    private var snapshotStart = 0
    private var lostTrades: [Int64: LostTrades] = [:]
    /// Markets that were forgotten while frames of theirs waited: giving those up asks for no snapshot.
    private var forgotten: Set<Int64> = []

    private enum PendingSnapshot {
        case first
        /// Takes the place of so many updates.
        case conflated(Int64)
    }

    private var waitingCount: Int { self.waiting.count - self.waitingStart }
    /// Bytes that count against the bound.
    var byteCount: Int { self.ready.count - self.sentCount + self.waitingByteCount }
    /// Whether there is more than the kernel is given at once, or a snapshot that would swallow what comes before it.
    var isBehind: Bool { self.byteCount > Self.chunkByteCount || !self.snapshots.isEmpty }

    /// Takes a frame in. On `overflow` the subscriber must be disconnected.
    mutating func add(_ frame: EncodedFrame, _ frameClass: FrameClass) -> Admission {
        switch frameClass {
        case .latest(let key):
            self.addLatest(frame, key)
            return .queued
        case .book(let n) where self.snapshots[n] != nil:
            self.wantSnapshot(n, replacing: 1)
            return .queued
        case .trade(let n, let received) where self.snapshots[n] != nil:
            self.loseTrade(n, received)
            return .queued
        case .book, .trade, .precious, .opening, .status: break
        }
        let size = frame.byteCount(sequence: self.sequence + Int64(self.waitingCount) + 1)
        if frameClass == .opening {
            guard self.openingByteCount + size <= Self.openingByteCountMax else { return .overflow }
        } else if self.byteCount + size > Self.byteCountMax {
            switch frameClass {
            case .opening, .status, .latest: return .queued
            case .book(let n):
                self.conflate()
                self.wantSnapshot(n, replacing: 1)
                return .queued
            case .trade(let n, let received):
                self.conflate()
                self.wantSnapshot(n, replacing: 0)
                self.loseTrade(n, received)
                return .queued
            case .precious:
                self.conflate()
                guard self.byteCount + size <= Self.byteCountMax else { return .overflow }
            }
        }
        if self.waitingCount == 0 && self.snapshots.isEmpty && self.ready.count < Self.chunkByteCount {
            self.sequence += 1
            frame.write(sequence: self.sequence, to: &self.ready)
        } else {
            self.waiting.append(Waiting(frame: frame, frameClass: frameClass))
            if frameClass == .opening { self.openingByteCount += size } else { self.waitingByteCount += size }
        }
        return .queued
    }

    private mutating func addLatest(_ frame: EncodedFrame, _ key: Int) {
        guard self.waitingCount == 0 && self.snapshots.isEmpty && self.ready.count < Self.chunkByteCount else {
            self.latest[key] = frame
            return
        }
        self.latest[key] = nil
        self.sequence += 1
        frame.write(sequence: self.sequence, to: &self.ready)
    }

    /// Gives up all that waits, lets a half-sent frame be completed, and adds a last one.
    mutating func endWith(_ frame: EncodedFrame) {
        self.waiting.removeAll()
        self.waitingStart = 0
        self.waitingByteCount = 0
        self.openingByteCount = 0
        self.latest.removeAll()
        self.snapshots.removeAll()
        self.snapshotOrder.removeAll()
        self.snapshotStart = 0
        self.lostTrades.removeAll()
        self.forgotten.removeAll()
        self.sequence += 1
        frame.write(sequence: self.sequence, to: &self.ready)
    }

    /// Asks for a first snapshot of market `n`, before which nothing of its book is sent.
    mutating func wantFirstSnapshot(_ n: Int64) {
        if self.snapshots.updateValue(.first, forKey: n) == nil { self.takeTurn(n) }
    }

    /// Drops the snapshot that waits of market `n` and its losses: the subscriber no longer wants it.
    mutating func forget(_ n: Int64) {
        self.snapshots[n] = nil
        self.lostTrades[n] = nil
        if self.waitingCount > 0 { self.forgotten.insert(n) }
    }

    private mutating func wantSnapshot(_ n: Int64, replacing count: Int64) {
        switch self.snapshots[n] {
        case .first: break
        case .conflated(let already): self.snapshots[n] = .conflated(already + count)
        case nil:
            self.snapshots[n] = .conflated(count)
            self.takeTurn(n)
        }
    }

    private mutating func takeTurn(_ n: Int64) {
        self.snapshotOrder.append(n)
        guard self.snapshotOrder.count > 2 * self.snapshots.count + 64 else { return }
        var seen: Set<Int64> = []
        self.snapshotOrder = self.snapshotOrder[self.snapshotStart...].filter {
            self.snapshots[$0] != nil && seen.insert($0).inserted
        }
        self.snapshotStart = 0
    }

    private mutating func loseTrade(_ n: Int64, _ received: Timestamp) {
        var lost = self.lostTrades[n] ?? LostTrades(from: received, to: received)
        lost.count += 1
        // What waited is given up after what came later could not be taken in.
        lost.from = min(lost.from, received)
        lost.to = max(lost.to, received)
        self.lostTrades[n] = lost
    }

    /// Leaves only what is precious in the waiting line; every market that loses something gets a snapshot.
    private mutating func conflate() {
        var kept: [Waiting] = []
        var keptByteCount = 0
        for item in self.waiting[self.waitingStart...] {
            switch item.frameClass {
            case .precious:
                kept.append(item)
                keptByteCount += item.frame.byteCount(sequence: self.sequence + Int64(kept.count))
            case .opening: kept.append(item)
            case .status, .latest: break
            case .book(let n) where self.forgotten.contains(n): break
            case .trade(let n, _) where self.forgotten.contains(n): break
            case .book(let n): self.wantSnapshot(n, replacing: 1)
            case .trade(let n, let received):
                self.wantSnapshot(n, replacing: 0)
                self.loseTrade(n, received)
            }
        }
        self.waiting = kept
        self.waitingStart = 0
        self.waitingByteCount = keptByteCount
    }

    /// Notes that the kernel took `count` bytes.
    mutating func sent(_ count: Int) {
        self.sentCount += count
        precondition(self.sentCount <= self.ready.count, "the kernel took more than it was given")
        if self.sentCount == self.ready.count {
            self.ready.removeAll(keepingCapacity: true)
            self.sentCount = 0
        }
    }

    /// Fills `ready` from what waits. Call when it is empty.
    ///
    /// - Parameter snapshot: the frames that bring a subscriber up to date with market `n`: `trades_dropped` first where
    ///   prints were lost, then the book; none when the market is gone. `conflated` is `nil` for a first snapshot.
    mutating func refill(snapshot: (_ n: Int64, _ conflated: Int64?, _ lost: LostTrades?) -> [EncodedFrame]) {
        for key in self.latest.keys.sorted() {
            self.sequence += 1
            self.latest[key]!.write(sequence: self.sequence, to: &self.ready)
        }
        self.latest.removeAll(keepingCapacity: true)
        while self.ready.count < Self.chunkByteCount && self.waitingCount > 0 {
            let item = self.waiting[self.waitingStart]
            self.waitingStart += 1
            self.sequence += 1
            let before = self.ready.count
            item.frame.write(sequence: self.sequence, to: &self.ready)
            // Shorter than was counted where frames before it were given up: its number may have lost a digit.
            let size = self.ready.count - before
            if item.frameClass == .opening {
                self.openingByteCount = max(0, self.openingByteCount - size)
            } else {
                self.waitingByteCount = max(0, self.waitingByteCount - size)
            }
        }
        if self.waitingCount == 0 {
            self.waiting.removeAll(keepingCapacity: true)
            self.waitingStart = 0
            self.waitingByteCount = 0
            self.openingByteCount = 0
            self.forgotten.removeAll(keepingCapacity: true)
        } else if self.waitingStart > self.waitingCount {
            // A subscriber that is always a little behind never empties the line: what has left it must not pile up.
            self.waiting.removeFirst(self.waitingStart)
            self.waitingStart = 0
        }
        while self.ready.count < Self.chunkByteCount && self.waitingCount == 0
            && self.snapshotStart < self.snapshotOrder.count
        {
            let n = self.snapshotOrder[self.snapshotStart]
            self.snapshotStart += 1
            guard let pending = self.snapshots.removeValue(forKey: n) else { continue }
            let conflated: Int64? = if case .conflated(let count) = pending { count } else { nil }
            for frame in snapshot(n, conflated, self.lostTrades.removeValue(forKey: n)) {
                self.sequence += 1
                frame.write(sequence: self.sequence, to: &self.ready)
            }
        }
        if self.snapshotStart == self.snapshotOrder.count {
            self.snapshotOrder.removeAll(keepingCapacity: true)
            self.snapshotStart = 0
        }
    }
}
