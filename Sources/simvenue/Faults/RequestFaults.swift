import Shared

/// The faults that wait for requests.
struct RequestFaults: Sendable {
    static let waitingCountMax = 64

    private var waiting: [RequestFault] = []

    /// - Returns: whether there was room for it.
    mutating func add(_ fault: RequestFault) -> Bool {
        guard self.waiting.count < Self.waitingCountMax else { return false }
        self.waiting.append(fault)
        return true
    }

    mutating func heal() { self.waiting = [] }

    /// What is to happen to a request: the oldest fault of each kind, used up with it.
    mutating func take(_ path: [String]) -> [RequestFault.Kind] {
        var taken: [RequestFault.Kind] = []
        for index in self.waiting.indices where self.waiting[index].concerns(path) {
            let kind = self.waiting[index].kind
            guard !taken.contains(where: { $0.isSame(as: kind) }) else { continue }
            taken.append(kind)
            self.waiting[index].count -= 1
        }
        self.waiting.removeAll { $0.count <= 0 }
        return taken
    }
}
