import Shared

/// The last good universe as text: two lines of JSON, when it was read and what it was.
struct UniverseFile: Hashable, Sendable {
    /// Of the form of this text; any other is not read.
    private static let version: Int64 = 1
    static let name = "universe.json"
    /// 2,000 markets with the longest texts that are kept.
    static let byteCountMax = 16 << 20
    /// Of one market: those that were listed have far less, and one that fits into no frame could be told to nobody.
    static let marketByteCountMax = 256 << 10

    /// When the listing was last read whole.
    let listedTime: Timestamp
    let markets: [Market]
    /// Markets of which `stratd` had told that it holds something there, sorted.
    let pinned: [ConditionID]

    enum Problem: Error, Hashable, CustomStringConvertible {
        case noLines, inTheFuture
        case malformed(JSONError)

        var description: String {
            switch self {
            case .noLines: "it does not have two lines"
            case .inTheFuture: "it is of a time that has not come"
            case .malformed(let error): "it holds \(error)"
            }
        }
    }

    init(listedTime: Timestamp, markets: [Market], pinned: [ConditionID] = []) {
        self.listedTime = listedTime
        self.markets = markets
        self.pinned = pinned
    }

    init(_ bytes: [UInt8], now: Timestamp) throws(Problem) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard lines.count == 2 else { throw .noLines }
        do throws(JSONError) {
            let head = try JSONValue(parsing: Array(lines[0]))
            self.markets = head["v"]?.integer == Self.version ? try Self.body(Array(lines[1])).markets : []
            self.listedTime = Timestamp(microseconds: head["listed_time"]?.integer ?? 0)
            self.pinned = (head["pinned"]?.array ?? []).compactMap { $0.string.flatMap { ConditionID($0) } }
            guard head["v"]?.integer == Self.version, self.listedTime.microseconds > 0 else {
                throw JSONError(.wrongValue, at: 0, member: "v, listed_time")
            }
            guard self.markets.allSatisfy({ Self.body(of: [$0]).count <= Self.marketByteCountMax }) else {
                throw JSONError(.wrongValue, at: 0, member: "markets")
            }
        } catch {
            throw .malformed(error)
        }
        guard self.listedTime <= now else { throw .inTheFuture }
    }

    private static func body(_ bytes: [UInt8]) throws(JSONError) -> UniverseBody {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in
                try JSONReader.read(buffer) { (reader) throws(JSONError) in try UniverseBody(reading: &reader) }
            }
        }
        return try result.get()
    }

    var bytes: [UInt8] {
        var head = JSONWriter()
        head.object {
            $0.key("v")
            $0.integer(Self.version)
            $0.key("listed_time")
            $0.integer(self.listedTime.microseconds)
            $0.key("pinned")
            $0.array { for condition in self.pinned { $0.string(condition.description) } }
        }
        return head.bytes + [UInt8(ascii: "\n")] + Self.body(of: self.markets) + [UInt8(ascii: "\n")]
    }

    private static func body(of markets: [Market]) -> [UInt8] {
        var writer = JSONWriter()
        UniverseBody(markets: markets, age: 0).write(to: &writer)
        return writer.bytes
    }
}
