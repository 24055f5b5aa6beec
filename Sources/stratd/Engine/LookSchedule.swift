import Shared

/// Looks at markets that wait for their time.
struct LookSchedule: Sendable {
    private(set) var due: [StrategyEngine.LookKey: Instant] = [:]
    /// The soonest of them.
    private(set) var next: Instant?

    mutating func plan(_ key: StrategyEngine.LookKey, at instant: Instant) {
        let former = self.due.updateValue(instant, forKey: key)
        guard former != instant else { return }
        if former != nil && former == self.next {
            self.findNext()
        } else {
            self.next = min(self.next ?? instant, instant)
        }
    }

    mutating func remove(_ key: StrategyEngine.LookKey) {
        if let former = self.due.removeValue(forKey: key), former == self.next { self.findNext() }
    }

    mutating func removeAll() {
        self.due.removeAll()
        self.next = nil
    }

    /// Those whose time has come, sorted; they are planned no more.
    mutating func takeReady(now: Instant) -> [StrategyEngine.LookKey] {
        let ready = self.due.filter { $0.value <= now }.keys.sorted()
        for key in ready { self.due[key] = nil }
        self.findNext()
        return ready
    }

    private mutating func findNext() { self.next = self.due.values.min() }
}
