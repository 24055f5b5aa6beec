import CLinux
import Glibc

/// Who may connect to a daemon's socket, and who may command it.
public enum Access: Sendable {
    /// Outside systemd: the same user (and root), who is the operator too.
    case sameUser
    /// Under systemd, and by hand in the units' directory: the group `readers` reads; members of `operators` command;
    /// members of `daemons` are the other daemons.
    case groups(readers: UInt32?, operators: UInt32?, daemons: UInt32? = nil)

    /// Groups asked of the kernel for one peer.
    private static let groupCountMax: Int32 = 256
    /// The group whose members may command.
    public static let operatorsGroup = "polybot-operators"

    /// The group whose members may read.
    static let readersGroup = "polybot"
    /// The group that may make sockets in the directory of the units.
    static let daemonsGroup = "polybot-daemons"

    /// What fits the way in which this process was started.
    public static func current(isManaged: Bool, runtimeDirectory: String) -> Access {
        var status = stat()
        let isUnitsDirectory =
            stat(runtimeDirectory, &status) == 0 && Self.identifier(of: Self.daemonsGroup) == status.st_gid
        guard isManaged || isUnitsDirectory else { return .sameUser }
        return .groups(
            readers: Self.identifier(of: Self.readersGroup), operators: Self.identifier(of: Self.operatorsGroup),
            daemons: Self.identifier(of: Self.daemonsGroup))
    }

    private static func identifier(of group: String) -> UInt32? { getgrnam(group)?.pointee.gr_gid }

    /// The group that the socket's file is given to; `nil` leaves it as the process makes it.
    var socketGroup: UInt32? {
        switch self {
        case .sameUser: nil
        case .groups(let readers, _, _): readers
        }
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
        case .groups(_, let operators, let daemons):
            var groups = [UInt32](repeating: 0, count: Int(Self.groupCountMax))
            let count = clinux_peer_groups(descriptor, &groups, Self.groupCountMax)
            func isMember(of group: UInt32?) -> Bool {
                group.map { gid == $0 || groups.prefix(max(0, Int(count))).contains($0) } ?? false
            }
            // The file's mode let the peer in; the kernel checked it at connect.
            return PeerCredentials(
                pid: pid, uid: uid, mayRead: true, isOperator: uid == 0 || isMember(of: operators),
                isDaemon: isMember(of: daemons))
        }
    }
}

/// Who a peer is, as the kernel says.
public struct PeerCredentials: Hashable, Sendable {
    public let pid: Int32
    public let uid: UInt32
    public let mayRead: Bool
    public let isOperator: Bool
    /// Whether it is one of the daemons, which are not held to the bounds of mere readers.
    public var isDaemon = false

    /// Whether it can do nothing here but read, so that nothing it does may keep others out.
    var isMereReader: Bool { !self.isOperator && !self.isDaemon }
}
