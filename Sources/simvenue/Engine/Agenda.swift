import HeapModule
import Shared

/// What is due later, soonest first, and in the order of making where times are equal.
struct Agenda<Appointment: Sendable>: Sendable {
    private struct Entry: Comparable, Sendable {
        let time: Timestamp
        let number: Int
        let what: Appointment

        static func < (a: Entry, b: Entry) -> Bool { (a.time, a.number) < (b.time, b.number) }
        static func == (a: Entry, b: Entry) -> Bool { a.number == b.number }
    }

    private var entries = Heap<Entry>()
    private var number = 0

    var count: Int { self.entries.count }
    var nextTime: Timestamp? { self.entries.min?.time }

    mutating func add(_ what: Appointment, at time: Timestamp) {
        self.number += 1
        self.entries.insert(Entry(time: time, number: self.number, what: what))
    }

    /// Takes out the next one that is due at `time`.
    mutating func take(until time: Timestamp) -> (time: Timestamp, what: Appointment)? {
        guard let first = self.entries.min, first.time <= time else { return nil }
        self.entries.removeMin()
        return (first.time, first.what)
    }

    /// Forgets those that nobody waits for any more.
    mutating func keep(where isWanted: (Appointment) -> Bool) {
        self.entries = Heap(self.entries.unordered.filter { isWanted($0.what) })
    }
}
