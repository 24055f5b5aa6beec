import DaemonKit
import Shared

/// Hands out the lines of a raw journal when their time has come. Confined to the daemon's loop.
///
/// Between two runs of the feed that recorded them no time passes. What is wrong with a file or a line is told and passed over.
final class JournalPlayer {
    /// Lines in one round of the loop.
    private static let roundLineCount = 64
    /// A slow subscriber is looked at again after this.
    private static let pause = Duration.milliseconds(1)

    struct Counts: Equatable {
        var lines: Int64 = 0
        var runs: Int64 = 0
        var gaps: Int64 = 0
        var malformed: Int64 = 0
    }

    /// What the player asks of its owner.
    struct Owner {
        /// A run of the recording feed begins: nothing of the one before goes on.
        let beginRun: () -> Void
        /// Lines are missing before the next.
        let takeGap: () -> Void
        let take: (JournalLine, UnsafeBufferPointer<UInt8>) -> Void
        let tell: (_ problem: String) -> Void
        /// Whether a subscriber has not read yet what it was sent.
        let isBehind: () -> Bool
        let end: (Counts) -> Void
    }

    let speed: ReplaySpeed
    private let files: JournalFiles
    private let loop: EventLoop
    private(set) var hasBegun = false
    private var owner: Owner?
    private var counts = Counts()
    private var bytes: [UInt8] = []
    /// What `bytes` holds and has not been handed out.
    private var line: JournalLine?
    /// Of the line that was handed out last, in this run.
    private var lastNumber: Int64?
    /// A recorded time, and when it is played.
    private var anchor: (recorded: Timestamp, played: Instant)?

    init(_ files: JournalFiles, speed: ReplaySpeed, loop: EventLoop) {
        self.files = files
        self.speed = speed
        self.loop = loop
    }

    /// Begins to play. Once.
    func begin(_ owner: Owner) {
        precondition(!self.hasBegun, "a journal is played once")
        self.hasBegun = true
        self.owner = owner
        self.loop.after(.zero) { self.play() }
    }

    /// Breaks the cycle with the owner. Nothing more is played.
    func stop() { self.owner = nil }

    private func play() {
        guard let owner = self.owner else { return }
        for _ in 0..<Self.roundLineCount {
            guard let line = self.line ?? self.read(owner) else {
                guard !owner.isBehind() else { return self.goOn(after: Self.pause) }
                return owner.end(self.counts)
            }
            self.line = line
            if self.isNewRun(line) { self.beginRun(owner, at: line.received) }
            if self.speed == .max {
                if owner.isBehind() { return self.goOn(after: Self.pause) }
            } else {
                let due = self.due(line.received)
                guard due <= .now() else { return self.goOn(after: due - .now()) }
            }
            self.line = nil
            self.hand(line, to: owner)
        }
        self.goOn(after: .zero)
    }

    private func goOn(after pause: Duration) { self.loop.after(pause) { self.play() } }

    private func read(_ owner: Owner) -> JournalLine? {
        while true {
            do throws(JournalFiles.Problem) {
                guard try self.files.next(&self.bytes) else { return nil }
            } catch {
                self.counts.malformed += 1
                owner.tell("\(error)")
                continue
            }
            do throws(JSONError) {
                return try self.bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in try JournalLine(bytes) }
            } catch {
                self.counts.malformed += 1
                owner.tell("a line that is not one of a raw journal: \(error)")
            }
        }
    }

    private func isNewRun(_ line: JournalLine) -> Bool {
        guard let last = self.lastNumber else { return self.counts.runs == 0 }
        return line.content != .gap && line.number <= last
    }

    private func beginRun(_ owner: Owner, at time: Timestamp) {
        self.counts.runs += 1
        self.lastNumber = nil
        self.anchor = (time, .now())
        owner.beginRun()
    }

    private func due(_ time: Timestamp) -> Instant {
        guard case .times(let times) = self.speed, let anchor = self.anchor else { return .now() }
        return anchor.played + (time - anchor.recorded) / times
    }

    private func hand(_ line: JournalLine, to owner: Owner) {
        self.counts.lines += 1
        if line.content == .gap {
            // The number of the next line tells of it.
            return
        }
        if let last = self.lastNumber, line.number > last + 1 {
            self.counts.gaps += 1
            owner.takeGap()
        }
        self.lastNumber = line.number
        self.bytes.withUnsafeBufferPointer { owner.take(line, $0) }
    }
}
