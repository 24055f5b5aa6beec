import Glibc
import Shared

/// The costs inside one process: processor time of each step of the hot path, in nanoseconds.
///
///     micro MARKETS MESSAGES    the files that the path is measured with; prints one line of JSON
@main
struct Micro {
    static func main() throws {
        guard CommandLine.arguments.count == 3 else {
            print("usage: micro MARKETS MESSAGES")
            exit(64)
        }
        let inputs = try Inputs(markets: CommandLine.arguments[1], messages: CommandLine.arguments[2])
        var results: [(String, Double)] = []
        results.append(("read a price_change of two entries", Self.readChanges(inputs)))
        results.append(("read a book of \(inputs.levelCount) levels", Self.readBook(inputs)))
        results.append(("hash a book of \(inputs.levelCount) levels", Self.hash(inputs)))
        results.append(("change a level of a book", Self.change(inputs)))
        results.append(("encode a delta of one level", Self.encode(inputs)))
        results.append(("queue an encoded frame for one subscriber", Self.write(inputs)))
        results.append(("decode a delta, envelope included", Self.decode(inputs)))
        let members = results.map { "\"\($0.0)\":\(Int($0.1.rounded()))" }
        print("{\(members.joined(separator: ","))}")
    }

    /// Nanoseconds of processor time that one call takes: the median of rounds, the first of which warms up.
    private static func measure(calls: Int, _ body: () -> Void) -> Double {
        var rounds: [Double] = []
        for _ in 0..<9 {
            let start = Self.processorTime()
            body()
            rounds.append(Double(Self.processorTime() - start) / Double(calls))
        }
        return rounds.dropFirst().sorted()[4]
    }

    private static func processorTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Steps

    private static func readChanges(_ inputs: Inputs) -> Double {
        var reader = MarketChannelReader()
        var seen = 0
        let nanoseconds = Self.measure(calls: inputs.changes.count) {
            for text in inputs.changes {
                text.withUnsafeBufferPointer { _ = try? reader.read($0) { seen &+= $0.changes.count } }
            }
        }
        precondition(seen == 9 * 2 * inputs.changes.count, "a text was not read")
        return nanoseconds
    }

    private static func readBook(_ inputs: Inputs) -> Double {
        var reader = MarketChannelReader()
        var seen = 0
        let calls = 2_000
        let nanoseconds = Self.measure(calls: calls) {
            for _ in 0..<calls {
                inputs.book.withUnsafeBufferPointer { text in
                    _ = try? reader.read(text) { seen &+= $0.bids.count + $0.asks.count }
                }
            }
        }
        precondition(seen == 9 * calls * inputs.levelCount, "a text was not read")
        return nanoseconds
    }

    private static func hash(_ inputs: Inputs) -> Double {
        var hasher = BookHasher()
        let lastTrade = LastTradePrice(text: "0.500")
        let calls = 5_000
        var equal = 0
        let nanoseconds = Self.measure(calls: calls) {
            for _ in 0..<calls {
                let hash = hasher.hash(
                    inputs.orderBook, of: inputs.market, outcome: 0, timestamp: inputs.timestamp, lastTrade: lastTrade)
                if hash == inputs.hash { equal &+= 1 }
            }
        }
        precondition(equal == 9 * calls, "a hash is wrong")
        return nanoseconds
    }

    private static func change(_ inputs: Inputs) -> Double {
        var book = inputs.orderBook
        var seen = 0
        let passes = 50
        let nanoseconds = Self.measure(calls: passes * inputs.updates.count) {
            for _ in 0..<passes {
                for update in inputs.updates {
                    if book.set(update.side, update.price, update.size) { seen &+= 1 }
                }
            }
        }
        precondition(seen == 9 * passes * inputs.updates.count, "a level was refused")
        return nanoseconds
    }

    private static func encode(_ inputs: Inputs) -> Double {
        var writer = JSONWriter(capacity: 4_096)
        var delta = inputs.delta
        var seen = 0
        let calls = 50_000
        let nanoseconds = Self.measure(calls: calls) {
            for update in 0..<calls {
                delta.update = Int64(update)
                seen &+= EncodedFrame(delta, sentTime: delta.receivedTime, writer: &writer).tail.count
            }
        }
        precondition(seen > 0)
        return nanoseconds
    }

    private static func write(_ inputs: Inputs) -> Double {
        let frame = EncodedFrame(inputs.delta, sentTime: inputs.delta.receivedTime)
        var bytes: [UInt8] = []
        let calls = 50_000
        let nanoseconds = Self.measure(calls: calls) {
            for sequence in 0..<calls {
                if bytes.count > 64 << 10 { bytes.removeAll(keepingCapacity: true) }
                frame.write(sequence: Int64(sequence) + 1, to: &bytes)
            }
        }
        precondition(!bytes.isEmpty)
        return nanoseconds
    }

    private static func decode(_ inputs: Inputs) -> Double {
        var bytes: [UInt8] = []
        EncodedFrame(inputs.delta, sentTime: inputs.delta.receivedTime).write(sequence: 123_456, to: &bytes)
        let frame = Array(bytes.dropFirst(4))
        var seen = 0
        let calls = 50_000
        let nanoseconds = Self.measure(calls: calls) {
            for _ in 0..<calls {
                frame.withUnsafeBufferPointer {
                    if let delta = try? Envelope(reading: $0).decode(DeltaBody.self) { seen &+= delta.levels.count }
                }
            }
        }
        precondition(seen == 9 * calls * inputs.delta.levels.count, "a frame was not read")
        return nanoseconds
    }
}
