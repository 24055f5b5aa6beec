import Shared

/// Whom the desk serves and when. Source: reference, 2.6, 2.8 and 2.11.
struct Availability: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case open
        /// Orders and cancels get 425. Next: `postOnly`, or `open` when that is to take no time.
        case restarting(until: Timestamp, postOnly: Duration)
        /// Next: `open`.
        case postOnly(until: Timestamp)
        /// Next: `open`.
        case cancelOnly(until: Timestamp)
        /// Neither orders nor cancels. Next: `open`.
        case disabled(until: Timestamp)
    }

    private(set) var phase = Phase.open
    private var geoblockedUntil: Timestamp?
    private var heartbeatsRefusedUntil: Timestamp?

    /// What the engine is to do meanwhile.
    var mode: EngineMode {
        switch self.phase {
        case .open: .normal
        case .restarting, .disabled: .disabled
        case .postOnly: .postOnly
        case .cancelOnly: .cancelOnly
        }
    }

    /// When the phase ends.
    var nextTime: Timestamp? {
        switch self.phase {
        case .open: nil
        case .restarting(let until, _), .postOnly(let until), .cancelOnly(let until), .disabled(let until): until
        }
    }

    mutating func begin(_ phase: Phase) { self.phase = phase }
    mutating func geoblock(until time: Timestamp) { self.geoblockedUntil = time }
    mutating func refuseHeartbeats(until time: Timestamp) { self.heartbeatsRefusedUntil = time }
    mutating func heal() { self = Availability() }

    /// Ends the phases that are over at `time`.
    mutating func advance(to time: Timestamp) {
        while let end = self.nextTime, end <= time {
            if case .restarting(_, let postOnly) = self.phase, postOnly > .zero {
                self.phase = .postOnly(until: end + postOnly)
            } else {
                self.phase = .open
            }
        }
    }

    func isGeoblocked(at time: Timestamp) -> Bool { self.geoblockedUntil.map { time < $0 } ?? false }
    func refusesHeartbeats(at time: Timestamp) -> Bool { self.heartbeatsRefusedUntil.map { time < $0 } ?? false }
}
