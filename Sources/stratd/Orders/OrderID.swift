import Shared

/// Our own number of an order, "o17" in frames and journals. Never given out twice: the ledger counts on across restarts.
struct OrderID: Hashable, Comparable, Sendable, CustomStringConvertible {
    let number: Int64

    init(number: Int64) { self.number = number }

    /// Reads "o17"; `nil` for anything else.
    init?(_ text: some StringProtocol) {
        guard text.first == "o", let number = Int64(text.dropFirst()), number > 0 else { return nil }
        self.number = number
    }

    static func < (a: OrderID, b: OrderID) -> Bool { a.number < b.number }
    var description: String { "o\(self.number)" }
}

extension JSONReader {
    mutating func orderID() throws(JSONError) -> OrderID {
        guard let order = OrderID(try self.string().string) else {
            throw JSONError(.wrongValue, at: self.offset, member: "order")
        }
        return order
    }
}
