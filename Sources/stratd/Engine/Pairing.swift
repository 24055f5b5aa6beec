/// The most pairs of lefts and rights, each in one pair at most. Who joined first stays, though perhaps with another partner.
///
/// Augmenting paths, found depth first in a fixed order: the same input gives the same pairs.
struct Pairing {
    /// For each left the rights that it may have, the preferred first.
    private(set) var choices: [[Int]]
    /// The left's right, and the right's left.
    private(set) var partners: [Int?]
    private(set) var owners: [Int?]

    init(_ choices: [[Int]], rightCount: Int) {
        self.choices = choices
        self.partners = Array(repeating: nil, count: choices.count)
        self.owners = Array(repeating: nil, count: rightCount)
    }

    /// How many pairs there are.
    var count: Int { self.partners.count { $0 != nil } }

    /// Pairs as many lefts as can be, the first ones first.
    mutating func joinAll() {
        for left in self.choices.indices where self.partners[left] == nil { self.join(left: left) }
    }

    /// Widens what the lefts may have; the pairs stay.
    mutating func widen(to choices: [[Int]]) { self.choices = choices }

    @discardableResult
    private mutating func join(left: Int) -> Bool {
        var visited = Set<Int>()
        return self.join(left: left, &visited)
    }

    private mutating func join(left: Int, _ visited: inout Set<Int>) -> Bool {
        for right in self.choices[left] where visited.insert(right).inserted {
            if let owner = self.owners[right] {
                guard self.join(left: owner, &visited) else { continue }
            }
            self.pair(left, right)
            return true
        }
        return false
    }

    /// Finds a left for `right`; other rights keep one.
    ///
    /// - Returns: whether that can be.
    mutating func join(right: Int) -> Bool {
        guard self.owners[right] == nil else { return true }
        var visited = Set<Int>()
        return self.join(right: right, &visited)
    }

    private mutating func join(right: Int, _ visited: inout Set<Int>) -> Bool {
        for left in self.choices.indices where self.choices[left].contains(right) && visited.insert(left).inserted {
            if let partner = self.partners[left] {
                guard self.join(right: partner, &visited) else { continue }
            }
            self.pair(left, right)
            return true
        }
        return false
    }

    private mutating func pair(_ left: Int, _ right: Int) {
        self.partners[left] = right
        self.owners[right] = left
    }
}
