/// Why a connection's bytes are not frames. The connection ends with an `error` frame.
public enum FrameError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A length of 0 or above `FrameDecoder.byteCountMax`.
    case badLength(UInt32)
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
        case .badLength(let length): "a frame of \(length) bytes; allowed are 1 to \(FrameDecoder.byteCountMax)"
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

    /// A buffer larger than this is given back once it is empty: one large frame must not cost memory for ever.
    private static let keptByteCountMax = 4 * readByteCount

    /// Bytes of the stream from `start` to `end`; behind them room that was used before, so that a read clears nothing.
    private var buffer: [UInt8] = []
    /// First byte not yet handed out.
    private var start = 0
    private var end = 0

    public init() {}

    /// Bytes received and not yet handed out: a part of a frame.
    public var pendingByteCount: Int { self.end - self.start }

    /// Lets `fill` write up to `readByteCount` bytes and returns what it returned: their number, or 0 and less for
    /// "nothing".
    public mutating func receive(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        self.compact()
        let room = self.end..<self.end + Self.readByteCount
        if self.buffer.count < room.upperBound {
            self.buffer.append(contentsOf: repeatElement(0, count: room.upperBound - self.buffer.count))
        }
        let count = self.buffer.withUnsafeMutableBytes { fill(UnsafeMutableRawBufferPointer(rebasing: $0[room])) }
        precondition(count <= Self.readByteCount, "more bytes than there was room for")
        self.end += max(0, count)
        return count
    }

    /// Adds received bytes.
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        self.compact()
        self.buffer.removeSubrange(self.end...)
        self.buffer.append(contentsOf: bytes)
        self.end = self.buffer.count
    }

    /// Hands the next whole frame's body to `body`.
    ///
    /// - Returns: `nil` while no whole frame is there.
    /// - Throws: `FrameError.badLength`; the stream cannot be read on after that.
    public mutating func next<Value>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(FrameError) -> Value
    ) throws(FrameError) -> Value? {
        guard self.pendingByteCount >= 4 else { return nil }
        let start = self.start
        let length = self.buffer[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard length > 0 && length <= Self.byteCountMax else { throw .badLength(length) }
        guard self.pendingByteCount >= 4 + Int(length) else { return nil }
        self.start = start + 4 + Int(length)
        let result = self.buffer.withUnsafeBufferPointer { buffer in
            Result { () throws(FrameError) in
                try body(UnsafeBufferPointer(rebasing: buffer[start + 4..<start + 4 + Int(length)]))
            }
        }
        return try result.get()
    }

    /// Moves what is left to the front, so that the buffer stays small.
    private mutating func compact() {
        guard self.start > 0 else { return }
        if self.start == self.end {
            if self.buffer.count > Self.keptByteCountMax { self.buffer = [] }
        } else {
            self.buffer.withUnsafeMutableBytes { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[self.start..<self.end]))
            }
        }
        self.end -= self.start
        self.start = 0
    }
}
