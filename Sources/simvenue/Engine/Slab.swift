/// Values that keep their place while they are kept, and whose places are used again.
struct Slab<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    private var free: [Int] = []

    var count: Int { self.elements.count - self.free.count }

    mutating func insert(_ element: Element) -> Int {
        guard let place = self.free.popLast() else {
            self.elements.append(element)
            return self.elements.count - 1
        }
        self.elements[place] = element
        return place
    }

    /// Gives the place up; its value must not be asked for again.
    mutating func remove(_ place: Int) { self.free.append(place) }

    subscript(place: Int) -> Element {
        get { self.elements[place] }
        _modify { yield &self.elements[place] }
    }
}

/// The places of what is finished, oldest first and not more than a bound.
struct FinishedPlaces: Sendable {
    private let countMax: Int
    private var places: [Int] = []
    private var oldest = 0

    init(countMax: Int) { self.countMax = countMax }

    /// - Returns: The place to be given up for it, if there is one too many.
    mutating func add(_ place: Int) -> Int? {
        guard self.places.count == self.countMax else {
            self.places.append(place)
            return nil
        }
        defer {
            self.places[self.oldest] = place
            self.oldest = (self.oldest + 1) % self.countMax
        }
        return self.places[self.oldest]
    }
}
