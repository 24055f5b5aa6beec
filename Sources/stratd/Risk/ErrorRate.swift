import Shared

/// The share of requests to the venue that failed over the last minute.
struct ErrorRate: Hashable, Sendable {
    /// Of fewer requests no share is told: one of two is no half.
    static let requestCountMin: Int64 = 20
    private static let secondCount = 60

    private struct Second: Hashable, Sendable {
        var number: Int64 = -1
        var total: Int64 = 0
        var failed: Int64 = 0
    }
    private var seconds = [Second](repeating: Second(), count: Self.secondCount)

    mutating func note(isFailure: Bool, now: Instant) {
        let number = now.nanoseconds / 1_000_000_000
        let index = Int(number % Int64(Self.secondCount))
        if self.seconds[index].number != number { self.seconds[index] = Second(number: number) }
        self.seconds[index].total += 1
        if isFailure { self.seconds[index].failed += 1 }
    }

    /// Millionths, rounded down; zero while there were too few requests.
    func micros(now: Instant) -> Int64 {
        let oldest = now.nanoseconds / 1_000_000_000 - Int64(Self.secondCount)
        let recent = self.seconds.filter { $0.number > oldest }
        let total = recent.reduce(0) { $0 + $1.total }
        guard total >= Self.requestCountMin else { return 0 }
        return recent.reduce(0) { $0 + $1.failed } * 1_000_000 / total
    }

    mutating func reset() { self = ErrorRate() }
}

extension ErrorRate {
    /// The seconds that had requests, as `[number,total,failed]`.
    func write(to writer: inout JSONWriter) {
        writer.array {
            for second in self.seconds where second.number >= 0 {
                $0.array {
                    $0.integer(second.number)
                    $0.integer(second.total)
                    $0.integer(second.failed)
                }
            }
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        try reader.array { (reader) throws(JSONError) in
            let numbers = try reader.integers(3)
            guard numbers[0] >= 0 else { throw JSONError(.wrongValue, at: reader.offset) }
            self.seconds[Int(numbers[0] % Int64(Self.secondCount))] = Second(
                number: numbers[0], total: numbers[1], failed: numbers[2])
        }
    }
}
