/// Where a message is put together that does not lie whole in the bytes just received. Its bytes keep their address
/// until the next change, so that a message can be handed out without a copy.
struct WebSocketMessageBuffer: ~Copyable {
    /// A buffer larger than this is given back after its message: one huge message must not cost memory for ever.
    static let keptByteCountMax = 1 << 20
    private static let firstCapacity = 4_096
    /// Room that is worth being filled by itself.
    private static let roomMin = 1_024

    private var storage: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private(set) var count = 0

    init() {}

    deinit { self.storage?.deallocate() }

    /// Valid until the next change.
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: self.storage, count: self.count) }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        self.grow(to: self.count + bytes.count)
        guard let storage = self.storage else { return }
        (storage + self.count).initialize(from: source, count: bytes.count)
        self.count += bytes.count
    }

    /// Room behind the bytes, to be filled from its beginning and then told to `grew(by:)`. Not empty.
    mutating func room(byteCountMax: Int) -> UnsafeMutableBufferPointer<UInt8> {
        self.grow(to: self.count + min(byteCountMax, Self.roomMin))
        let free = min(self.capacity - self.count, byteCountMax)
        return UnsafeMutableBufferPointer(start: self.storage.map { $0 + self.count }, count: free)
    }

    mutating func grew(by count: Int) { self.count += count }

    mutating func removeAll() {
        self.count = 0
        guard self.capacity > Self.keptByteCountMax else { return }
        self.storage?.deallocate()
        self.storage = nil
        self.capacity = 0
    }

    private mutating func grow(to needed: Int) {
        guard needed > self.capacity else { return }
        var capacity = max(self.capacity, Self.firstCapacity)
        while capacity < needed { capacity *= 2 }
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        if let storage = self.storage {
            grown.initialize(from: storage, count: self.count)
            storage.deallocate()
        }
        self.storage = grown
        self.capacity = capacity
    }
}
