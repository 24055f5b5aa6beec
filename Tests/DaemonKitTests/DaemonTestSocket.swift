import CLinux
import DaemonKit
import Glibc

/// A datagram socket with a name: the other end of what a daemon says to systemd and its journal.
final class DatagramSocket: Sendable {
    struct Message {
        let text: String
        /// Passed along; the test's from now on.
        let descriptors: [Int32]
    }

    private let descriptor: Int32

    init(path: String) throws {
        self.descriptor = try Self.open()
        guard Self.withAddress(of: path, { bind(self.descriptor, $0, $1) == 0 }) else { throw SystemError("bind") }
    }

    /// Whether somebody still takes what is sent to `path`: a child that was begun a moment ago holds its parent's sockets until it
    /// runs a program of its own.
    static func isServed(_ path: String) -> Bool {
        guard let descriptor = try? Self.open() else { return false }
        defer { close(descriptor) }
        return Self.withAddress(of: path) { connect(descriptor, $0, $1) == 0 }
    }

    private static func open() throws -> Int32 {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        return descriptor
    }

    private static func withAddress(of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    deinit { close(self.descriptor) }

    /// For handing the socket itself to a child.
    func withDescriptor<Value>(_ body: (Int32) throws -> Value) rethrows -> Value { try body(self.descriptor) }

    /// The next message; `nil` when none is there.
    func next() -> Message? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var control = [UInt64](repeating: 0, count: 32)
        return bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var header = msghdr()
                    header.msg_iov = part
                    header.msg_iovlen = 1
                    header.msg_control = control.baseAddress
                    header.msg_controllen = control.count
                    let count = recvmsg(self.descriptor, &header, 0)
                    guard count >= 0 else { return nil }
                    let text = String(decoding: bytes[..<count], as: UTF8.self)
                    return Message(text: text, descriptors: Self.descriptors(control, header.msg_controllen))
                }
            }
        }
    }

    /// A control message is its length (8 bytes), level and type (4 each), then the descriptors (4 each).
    private static func descriptors(_ control: UnsafeMutableRawBufferPointer, _ count: Int) -> [Int32] {
        guard count >= 20, control.load(fromByteOffset: 12, as: Int32.self) == Int32(SCM_RIGHTS) else { return [] }
        let length = control.load(as: Int.self)
        return stride(from: 16, to: length, by: 4).map { control.load(fromByteOffset: $0, as: Int32.self) }
    }
}
