import DaemonKit
import Glibc
import Shared
import Signing

/// What lies between the feed's frame and an order that is ready to be sent, with stratd's own sources.
///
///     orders sign COUNT                   from a delta's bytes to the signed request; prints one line of JSON
///     orders journal DIRECTORY GROUPS     appends of the ledger's journal, in groups as they come; prints one line of JSON
///     orders updates MARKETS COUNT        updates of books in memory, through the engine; prints one line of JSON
///
/// Times in nanoseconds.
@main
struct Orders {
    static func main() throws {
        let arguments = CommandLine.arguments
        switch (arguments.dropFirst().first, arguments.count) {
        case ("sign", 3): try Self.sign(count: Int(arguments[2]) ?? 1_000)
        case ("journal", 4): try Self.journal(arguments[2], groupCount: Int(arguments[3]) ?? 1_000)
        case ("updates", 4): Self.updates(Int(arguments[2]) ?? 25, count: Int(arguments[3]) ?? 100_000)
        default:
            print("usage: orders sign COUNT | orders journal DIRECTORY GROUPS | orders updates MARKETS COUNT")
            exit(64)
        }
    }

    static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    static func quantiles(_ times: [Int64]) -> String {
        let sorted = times.sorted()
        return "\"p50\":\(sorted[sorted.count / 2]),\"p99\":\(sorted[sorted.count * 99 / 100])"
    }

    // MARK: Event to order

    /// Worth nothing anywhere.
    private static let key: PrivateKey = {
        let text = Array(String(repeating: "4f", count: 32).utf8)
        return text.withUnsafeBufferPointer { PrivateKey(hex: $0)! }
    }()

    private static func sign(count: Int) throws {
        let bench = try OrderBench(key: Self.key)
        // Until caches and branches know the way.
        for _ in 0..<max(100, count / 10) { _ = bench.run() }
        var times = [[Int64]](repeating: [], count: OrderBench.steps.count)
        for _ in 0..<count {
            for (step, time) in bench.run().enumerated() { times[step].append(time) }
        }
        let members = zip(OrderBench.steps, times).map { "\"\($0)\":{\(Self.quantiles($1))}" }
        print("{\(members.joined(separator: ",")),\"bytes\":\(bench.byteCount)}")
    }

    // MARK: Updates

    private static func updates(_ marketCount: Int, count: Int) {
        let bench = UpdateBench(marketCount: marketCount, updateCount: count, seed: 1)
        // Until caches and branches know the way.
        _ = bench.run()
        let (time, orders, looks) = bench.run()
        print("{\"updates\":\(count),\"time\":\(time),\"orders\":\(orders),\"looks\":\(looks)}")
    }

    // MARK: The journal

    /// A group is what one event of the engine writes at once: an order's intent and its state.
    private static func journal(_ directory: String, groupCount: Int) throws {
        let bench = try OrderBench(key: Self.key)
        let records = bench.records
        let file = try LedgerFile(directory: directory, .live)
        try file.beginFile(with: LedgerRecord(.checkpoint(bench.ledger), at: .now()))
        var times: [Int64] = []
        let start = Self.nanoseconds()
        for _ in 0..<groupCount {
            let before = Self.nanoseconds()
            try file.append(records)
            times.append(Self.nanoseconds() - before)
        }
        let appended = Self.nanoseconds() - start
        precondition(file.close(), "the disk did not take the records")
        let synced = Self.nanoseconds() - start
        let recordCount = Int64(groupCount * records.count)
        var byteCount = 0
        for case .record(let record) in records { byteCount += record.line.count }
        print(
            "{\(Self.quantiles(times)),\"records\":\(recordCount),\"appended\":\(appended),\"synced\":\(synced),"
                + "\"group_bytes\":\(byteCount),\"group_records\":\(records.count)}")
    }
}
