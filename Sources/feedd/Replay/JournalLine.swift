import Shared

/// One line of a raw journal, as `RawJournal` writes it.
struct JournalLine: Equatable {
    /// More connections than any feed has had: a number above it is no connection's.
    static let connectionCountMax = 2 * FeedService.marketCountMax

    enum Content: Equatable {
        /// JSON of the venue's, where it stands in the line.
        case json(Range<Int>)
        /// Another text of the venue's.
        case text(String)
        case event(JournalEvent)
        /// Lines were lost here.
        case gap
    }

    /// Counts the lines of a run of the recording feed, lost ones included. -1 for a gap.
    let number: Int64
    let connection: Int
    let received: Timestamp
    let content: Content

    init(_ line: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        var number: Int64 = -1
        var connection: Int64 = 0
        var received: Int64?
        var content: Content?
        var members = JournalEvent.Members()
        var reader = JSONReader(line)
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "f": number = try reader.integer()
            case "connection": connection = try reader.integer()
            case "received_time": received = try reader.integer()
            // Of a gap, which has no other time.
            case "to": received = try reader.integer()
            case "dropped":
                try reader.skip()
                content = .gap
            case "raw":
                switch try reader.peek() {
                case .object, .array:
                    let count = try reader.raw().count
                    content = .json(reader.offset - count..<reader.offset)
                case .string: content = .text(try reader.string().string)
                default: try reader.skip()
                }
            case "event": members.event = try reader.string().string
            case "reason": members.reason = try reader.string().string
            case "n": members.n = try reader.integer()
            case "terms", "description": members.terms = try MarketBody(reading: &reader)
            case "follower": members.follower = Int(exactly: try reader.integer())
            case "book": members.book = try RESTBook(JSONValue(reading: &reader))
            case "expired": members.isExpired = try reader.bool()
            case "places": members.places = try Self.places(&reader)
            case "price": members.price = try ReferencePriceBody(reading: &reader)
            case "late": members.late = try reader.string().string
            case "winner": members.winner = try reader.integer()
            case "time": members.time = try reader.integer()
            default: try reader.skip()
            }
        }
        try reader.end()
        guard let received, received >= 0 else {
            throw JSONError(.missing, at: 0, member: "received_time")
        }
        for index in [connection, Int64(members.follower ?? 0)] as [Int64] {
            guard (0..<Int64(Self.connectionCountMax)).contains(index) else {
                throw JSONError(.outOfRange, at: 0, member: "connection")
            }
        }
        self.number = content == .gap ? -1 : number
        self.connection = Int(connection)
        self.received = Timestamp(microseconds: received)
        if let content { self.content = content } else { self.content = .event(try JournalEvent(members)) }
    }

    private static func places(_ reader: inout JSONReader) throws(JSONError) -> [Int] {
        var places: [Int] = []
        try reader.array { (reader) throws(JSONError) in
            guard places.count < MarketChannelReader.eventCountMax else {
                throw JSONError(.outOfRange, at: reader.offset, member: "places")
            }
            places.append(Int(try reader.integer()))
        }
        return places
    }
}
