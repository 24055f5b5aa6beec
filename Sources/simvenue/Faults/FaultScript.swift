import Shared

/// Faults with their times: JSON lines `{"at_ms":1500,"do":"drop"}`, read whole before anything starts.
struct FaultScript: Hashable, Sendable {
    struct Step: Hashable, Sendable {
        /// Milliseconds after the venue's start.
        let offset: Int64
        let order: FaultOrder
    }

    static let byteCountMax = 1 << 20
    static let stepCountMax = 10_000
    static let offsetMax: Int64 = 7 * 86_400_000
    static let empty = FaultScript(steps: [])

    let steps: [Step]

    private init(steps: [Step]) { self.steps = steps }

    /// Empty lines are passed over. Steps of one time are done in the order of their lines.
    init(parsing bytes: [UInt8]) throws(FaultProblem) {
        guard bytes.count <= Self.byteCountMax else { throw FaultProblem("it is over \(Self.byteCountMax) bytes") }
        var steps: [Step] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 > 0x20 }) else { continue }
            do throws(FaultProblem) {
                guard steps.count < Self.stepCountMax else { throw FaultProblem("over \(Self.stepCountMax) steps") }
                let order = try FaultOrder(parsing: Array(line), further: ["at_ms"])
                guard let offset = (try? JSONValue(parsing: line))?["at_ms"]?.integer,
                    (0...Self.offsetMax).contains(offset)
                else {
                    throw FaultProblem("at_ms must be a whole number from 0 to \(Self.offsetMax)")
                }
                guard offset >= steps.last?.offset ?? 0 else { throw FaultProblem("at_ms must not go back") }
                steps.append(Step(offset: offset, order: order))
            } catch {
                throw FaultProblem("line \(index + 1): \(error.sentence)")
            }
        }
        self.steps = steps
    }
}
