import Glibc

/// Bytes that nobody may see: they have one place in memory, which is wiped when the last owner lets go, and are never
/// printed.
final class SecretBytes: Sendable, CustomStringConvertible, CustomReflectable {
    nonisolated(unsafe) private let start: UnsafeMutablePointer<UInt8>
    let count: Int

    /// `count` bytes, zero until `write` has filled them.
    init(count: Int, write: (UnsafeMutablePointer<UInt8>) -> Void) {
        self.start = .allocate(capacity: max(count, 1))
        self.count = count
        self.start.initialize(repeating: 0, count: count)
        write(self.start)
    }

    deinit {
        explicit_bzero(self.start, self.count)
        self.start.deallocate()
    }

    /// Lends the bytes; they must not be copied.
    func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        withExtendedLifetime(self) { body(UnsafePointer(self.start)) }
    }

    var description: String { "(secret)" }
    var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
