/// The last values that were seen, so that each is counted once; bounded, the oldest are forgotten.
struct RecentSet<Element: Hashable> {
    private let countMax: Int
    private var values: Set<Element> = []
    private var order: [Element] = []
    /// Where the oldest value stands in `order`, once it is full.
    private var oldest = 0

    init(countMax: Int) {
        precondition(countMax > 0, "a memory without room")
        self.countMax = countMax
    }

    /// - Returns: whether `value` is new.
    mutating func insert(_ value: Element) -> Bool {
        guard self.values.insert(value).inserted else { return false }
        if self.order.count < self.countMax {
            self.order.append(value)
        } else {
            self.values.remove(self.order[self.oldest])
            self.order[self.oldest] = value
            self.oldest = (self.oldest + 1) % self.countMax
        }
        return true
    }
}
