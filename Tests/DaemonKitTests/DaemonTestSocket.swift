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
        self.descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard self.descriptor >= 0 else { throw SystemError("socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound else { throw SystemError("bind") }
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
