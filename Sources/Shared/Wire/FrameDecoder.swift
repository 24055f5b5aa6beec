/// Why a connection's bytes are not frames. The connection ends with an `error` frame.
public enum FrameError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A length of 0 or above what the decoder takes.
    case badLength(UInt32, allowed: Int = FrameDecoder.byteCountMax)
    case badJSON(JSONError)
    /// An envelope of another version than ours.
    case badVersion(Int64)

    public var code: ErrorCode {
        switch self {
        case .badLength: .badLength
        case .badJSON: .badJSON
        case .badVersion: .badVersion
        }
    }

    public var description: String {
        switch self {
        case .badLength(let length, let allowed): "a frame of \(length) bytes; allowed are 1 to \(allowed)"
        case .badJSON(let error): "a frame that is not the JSON expected: \(error)"
        case .badVersion(let version): "a frame of version \(version); this program speaks \(Envelope.version)"
        }
    }
}

/// Cuts a stream of bytes into frames: a four-byte big-endian length, then that many bytes.
///
/// It never holds more than one frame and one read; a length is checked before anything is kept for it.
public struct FrameDecoder: Sendable {
    /// Largest frame body. A book with all 9,999 prices filled is about 400 KB of JSON.
    public static let byteCountMax = 1 << 20
    /// Bytes asked of the kernel at a time.
    public static let readByteCount = 64 << 10

    /// Room for bytes; those from `start` up to `end` were received and not yet handed out. What lies beyond is written by
    /// the next read, so that a read costs nothing but itself.
    private var buffer: [UInt8] = []
    private var start = 0
    private var end = 0
    private let byteCountMax: Int

    /// - Parameter byteCountMax: of a frame's body, where less than `byteCountMax` is to be believed.
    public init(byteCountMax: Int = Self.byteCountMax) { self.byteCountMax = min(byteCountMax, Self.byteCountMax) }

    /// Bytes received and not yet handed out: a part of a frame.
    public var pendingByteCount: Int { self.end - self.start }

    /// Bytes of memory that it holds.
    public var heldByteCount: Int { self.buffer.count }

    /// Lets `fill` write up to `readByteCount` bytes and returns what it returned: their number, or 0 and less for
    /// "nothing".
    public mutating func receive(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        self.makeRoom(for: Self.readByteCount)
        let room = self.end..<self.end + Self.readByteCount
        let count = self.buffer.withUnsafeMutableBytes { fill(UnsafeMutableRawBufferPointer(rebasing: $0[room])) }
        precondition(count <= Self.readByteCount, "more bytes than there was room for")
        self.end += max(0, count)
        return count
    }

    /// Adds received bytes.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        self.makeRoom(for: bytes.count)
        self.buffer.replaceSubrange(self.end..<self.end + bytes.count, with: bytes)
        self.end += bytes.count
    }

    /// Hands the next whole frame's body to `body`.
    ///
    /// - Returns: `nil` while no whole frame is there.
    /// - Throws: `FrameError.badLength`; the stream cannot be read on after that.
    public mutating func next<Value>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(FrameError) -> Value
    ) throws(FrameError) -> Value? {
        guard let length = self.nextLength else { return nil }
        let start = self.start
        guard length > 0 && length <= self.byteCountMax else { throw .badLength(length, allowed: self.byteCountMax) }
        guard self.pendingByteCount >= 4 + Int(length) else { return nil }
        self.start = start + 4 + Int(length)
        let result = self.buffer.withUnsafeBufferPointer { buffer in
            Result { () throws(FrameError) in
                try body(UnsafeBufferPointer(rebasing: buffer[start + 4..<start + 4 + Int(length)]))
            }
        }
        return try result.get()
    }

    /// The length that the next frame says it has; `nil` while that is not there.
    private var nextLength: UInt32? {
        guard self.pendingByteCount >= 4 else { return nil }
        return self.buffer[self.start..<self.start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }

    /// Makes sure that `count` bytes fit behind `end`: in the room that was handed out already, if that is enough.
    private mutating func makeRoom(for count: Int) {
        if self.start == self.end {
            self.start = 0
            self.end = 0
            // What one large frame needed is given back.
            if self.buffer.count > 4 * Self.readByteCount { self.buffer = [] }
        }
        if self.buffer.count - self.end < count && self.start > 0 {
            let left = self.start..<self.end
            self.buffer.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[left])) }
            self.end = left.count
            self.start = 0
        }
        if self.buffer.count - self.end < count { self.grow(by: count) }
    }

    private mutating func grow(by count: Int) {
        let old = self.buffer
        let left = self.end
        // Doubled, so that a large frame is not copied for every read of it, up to what the frame and one read need.
        let length = min(Int(self.nextLength ?? 0), self.byteCountMax)
        let size = max(min(old.count * 2, 4 + length + Self.readByteCount), left + count)
        self.buffer = [UInt8](unsafeUninitializedCapacity: size) { room, initializedCount in
            room.initialize(repeating: 0)
            UnsafeMutableRawBufferPointer(room).copyBytes(from: old[..<left])
            initializedCount = size
        }
    }
}
