import Glibc

/// Bytes that nobody may see: they have one place in memory, which is wiped when the last owner lets go, and are never
/// printed.
final class SecretBytes: Sendable, CustomStringConvertible, CustomReflectable {
    /// Where they are kept.
    enum Place: Sendable {
        case heap
        /// A page of their own, left out of dumps and of forked children, and never swapped out where the system lets it be locked.
        case page
    }

    nonisolated(unsafe) private let start: UnsafeMutablePointer<UInt8>
    let count: Int
    private let place: Place

    private static let pageByteCount = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// `count` bytes, zero until `write` has filled them; in a page at most its size.
    init(count: Int, in place: Place = .heap, write: (UnsafeMutablePointer<UInt8>) -> Void) {
        self.count = count
        self.place = place
        switch place {
        case .heap: self.start = .allocate(capacity: max(count, 1))
        case .page:
            precondition(count <= Self.pageByteCount, "more than a page holds")
            guard
                let page = mmap(nil, Self.pageByteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                page != MAP_FAILED
            else { fatalError("no memory for a secret") }
            // Each of them a further fence: dumps are forbidden as a whole, and swap may not exist.
            mlock(page, Self.pageByteCount)
            madvise(page, Self.pageByteCount, Int32(MADV_DONTDUMP))
            madvise(page, Self.pageByteCount, Int32(MADV_WIPEONFORK))
            self.start = page.assumingMemoryBound(to: UInt8.self)
        }
        self.start.initialize(repeating: 0, count: count)
        write(self.start)
    }

    deinit {
        explicit_bzero(self.start, self.count)
        switch self.place {
        case .heap: self.start.deallocate()
        case .page:
            munlock(self.start, Self.pageByteCount)
            munmap(self.start, Self.pageByteCount)
        }
    }

    /// Lends the bytes; they must not be copied.
    func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        withExtendedLifetime(self) { body(UnsafePointer(self.start)) }
    }

    var description: String { "(secret)" }
    var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
