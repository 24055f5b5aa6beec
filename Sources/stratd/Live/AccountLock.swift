import DaemonKit
import Glibc
import Signing

/// Keeps a second stratd of this host away from the account: a name in the system's abstract namespace of sockets, which ends with
/// the process, however that ends. On other hosts heartbeats under foreign names tell of one.
final class AccountLock {
    private let descriptor: Int32

    /// - Parameter owner: of the account's key.
    /// - Throws: code 77 when another process has it.
    init(_ owner: Address) throws(DaemonExit) {
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0 else { throw DaemonExit(.bug, "No socket can be made: \(SystemError("socket")).") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A name that begins with zero is no file.
        let name = Array("\0polybot-stratd-\(owner)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let byteCount = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(self.descriptor, $0, byteCount) }
        }
        guard result == 0 else {
            let error = SystemError("bind")
            close(self.descriptor)
            throw DaemonExit(
                .refused,
                "Another process of this machine trades for the account of \(owner) (\(error)): stop it first.")
        }
    }

    deinit { close(self.descriptor) }
}
