import CLinux
import Glibc

/// Who may connect to a daemon's socket, and who may command it.
public enum Access: Sendable {
    /// Outside systemd: the same user (and root), who is the operator too.
    case sameUser
    /// Under systemd: the socket's group reads; members of `operators` command.
    case groups(operators: UInt32?)

    /// Groups asked of the kernel for one peer.
    private static let groupCountMax: Int32 = 256
    /// The group whose members may command.
    public static let operatorsGroup = "polybot-operators"

    /// What fits the way in which this process was started.
    public static func current(isManaged: Bool) -> Access {
        guard isManaged else { return .sameUser }
        return .groups(operators: getgrnam(Self.operatorsGroup)?.pointee.gr_gid)
    }

    /// Mode of the socket's file.
    public var socketMode: UInt32 {
        switch self {
        case .sameUser: 0o600
        case .groups: 0o660
        }
    }

    /// Who is at the other end of `descriptor`; `nil` when the kernel does not say.
    func credentials(of descriptor: Int32) -> PeerCredentials? {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        guard clinux_peer(descriptor, &pid, &uid, &gid) == 0 else { return nil }
        switch self {
        case .sameUser:
            let isOurs = uid == getuid() || uid == 0
            return PeerCredentials(pid: pid, uid: uid, mayRead: isOurs, isOperator: isOurs)
        case .groups(let operators):
            var groups = [UInt32](repeating: 0, count: Int(Self.groupCountMax))
            let count = clinux_peer_groups(descriptor, &groups, Self.groupCountMax)
            let isMember = operators.map { gid == $0 || groups.prefix(max(0, Int(count))).contains($0) } ?? false
            // The file's mode let the peer in; the kernel checked it at connect.
            return PeerCredentials(pid: pid, uid: uid, mayRead: true, isOperator: uid == 0 || isMember)
        }
    }
}

/// Who a peer is, as the kernel says.
public struct PeerCredentials: Hashable, Sendable {
    public let pid: Int32
    public let uid: UInt32
    public let mayRead: Bool
    public let isOperator: Bool
}
