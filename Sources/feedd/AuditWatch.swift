import Shared

/// When the REST interface is asked whether a market's book is still so.
struct AuditWatch {
    private(set) var heardAt: Instant
    private var askedAt: Instant
    /// Something is doubtful: it is asked for at the next opportunity.
    private var isWanted = false

    init(now: Instant) {
        self.heardAt = now
        self.askedAt = now
    }

    /// A line spoke of it.
    mutating func heard(now: Instant) { self.heardAt = now }

    mutating func want() { self.isWanted = true }

    mutating func begin(now: Instant) {
        self.askedAt = now
        self.isWanted = false
    }

    /// Whether it must be asked for now: it has been quiet, and nobody asked, for longer than `quietMin`.
    func isDue(quietMin: Duration, now: Instant) -> Bool {
        self.isWanted || now - self.heardAt > quietMin && now - self.askedAt > quietMin
    }

    /// Whether it goes along when another is due: a request for many costs no more than one for a single book.
    func mayGoAlong(quietMin: Duration, now: Instant) -> Bool {
        self.isWanted || now - self.heardAt > quietMin / 2 && now - self.askedAt > quietMin / 2
    }
}
