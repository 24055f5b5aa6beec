import Shared

/// What the venue's texts do not tell, and whoever plays a raw journal must know: what came another way, and what was decided
/// by the clock.
enum JournalEvent: Equatable {
    case opened
    case dropped(TrustReason)
    /// A market is carried, on the line's connection and, where it has one, on a follower's. Again at the beginning of a file, and
    /// where the venue told other terms.
    case terms(MarketBody, follower: Int?)
    /// The scanner told other terms.
    case described(MarketBody)
    case removed(n: Int64)
    /// By REST, to build on with the line's changes.
    case fetched(n: Int64, RESTBook)
    /// By REST, in the place of a line.
    case polled(n: Int64, RESTBook)
    /// The book of the line's connection was looked at while an operation was half told; `isExpired` when it had been for too long.
    case checked(n: Int64, isExpired: Bool)
    /// No poll has confirmed the book for too long.
    case expired(n: Int64)
    /// Hashes of the text that follows which were not compared, by their place among its changes.
    case leftOut([Int])
    /// A reference price was told.
    case price(ReferencePriceBody)
    /// One of two connections has not told what the other has.
    case late(n: Int64, LagWatch.Late)
    /// The REST interface told what became of a market; no line had.
    case resolved(n: Int64, winner: Int64, at: Timestamp)

    private enum Name: String {
        case opened, dropped, terms, described, removed, fetched, polled, checked, expired, price, late, resolved
        case leftOut = "left_out"
    }

    private var name: Name {
        switch self {
        case .opened: .opened
        case .dropped: .dropped
        case .terms: .terms
        case .described: .described
        case .removed: .removed
        case .fetched: .fetched
        case .polled: .polled
        case .checked: .checked
        case .expired: .expired
        case .leftOut: .leftOut
        case .price: .price
        case .late: .late
        case .resolved: .resolved
        }
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.key("event")
        writer.string(self.name.rawValue)
        switch self {
        case .opened: break
        case .dropped(let reason):
            writer.key("reason")
            writer.string(reason.rawValue)
        case .terms(let terms, let follower):
            if let follower {
                writer.key("follower")
                writer.integer(follower)
            }
            writer.key("terms")
            terms.write(to: &writer)
        case .described(let terms):
            writer.key("description")
            terms.write(to: &writer)
        case .removed(let n), .expired(let n): Self.write(n, to: &writer)
        case .fetched(let n, let book), .polled(let n, let book):
            Self.write(n, to: &writer)
            writer.key("book")
            book.write(to: &writer)
        case .checked(let n, let isExpired):
            Self.write(n, to: &writer)
            writer.key("expired")
            writer.bool(isExpired)
        case .leftOut(let places):
            writer.key("places")
            writer.array { for place in places { $0.integer(place) } }
        case .price(let price):
            writer.key("price")
            price.write(to: &writer)
        case .late(let n, let late):
            Self.write(n, to: &writer)
            writer.key("late")
            writer.string(late.rawValue)
        case .resolved(let n, let winner, let time):
            Self.write(n, to: &writer)
            writer.key("winner")
            writer.integer(winner)
            writer.key("time")
            writer.integer(time.microseconds)
        }
    }

    private static func write(_ n: Int64, to writer: inout JSONWriter) {
        writer.key("n")
        writer.integer(n)
    }

    /// The members of a line, as far as an event needs them.
    struct Members {
        var event = ""
        var reason: String?
        var n: Int64?
        var terms: MarketBody?
        var follower: Int?
        var book: RESTBook?
        var isExpired: Bool?
        var places: [Int]?
        var late: String?
        var winner: Int64?
        var time: Int64?
        var price: ReferencePriceBody?
    }

    /// - Throws: when a member is missing or is not what it should be; also for an event that is not known.
    init(_ members: Members) throws(JSONError) {
        func need<Value>(_ member: String, _ value: Value?) throws(JSONError) -> Value {
            guard let value else { throw JSONError(.missing, at: 0, member: member) }
            return value
        }
        guard let name = Name(rawValue: members.event) else { throw JSONError(.wrongValue, at: 0, member: "event") }
        switch name {
        case .opened: self = .opened
        case .dropped: self = .dropped(try need("reason", members.reason.flatMap { TrustReason(rawValue: $0) }))
        case .terms: self = .terms(try need("terms", members.terms), follower: members.follower)
        case .described: self = .described(try need("description", members.terms))
        case .removed: self = .removed(n: try need("n", members.n))
        case .fetched: self = .fetched(n: try need("n", members.n), try need("book", members.book))
        case .polled: self = .polled(n: try need("n", members.n), try need("book", members.book))
        case .checked: self = .checked(n: try need("n", members.n), isExpired: try need("expired", members.isExpired))
        case .expired: self = .expired(n: try need("n", members.n))
        case .leftOut: self = .leftOut(try need("places", members.places))
        case .price: self = .price(try need("price", members.price))
        case .late:
            let late = try need("late", members.late.flatMap { LagWatch.Late(rawValue: $0) })
            self = .late(n: try need("n", members.n), late)
        case .resolved:
            let winner = try need("winner", members.winner.flatMap { (0...1).contains($0) ? $0 : nil })
            let time = Timestamp(microseconds: try need("time", members.time))
            self = .resolved(n: try need("n", members.n), winner: winner, at: time)
        }
    }
}
