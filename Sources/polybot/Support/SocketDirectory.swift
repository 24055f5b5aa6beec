import DaemonKit
import Glibc

/// Which directory's sockets are meant where nobody has said it.
enum SocketDirectory {
    /// Where the units of systemd have their sockets.
    static let ofUnits = "/run/polybot"

    /// The user's own, and where nobody serves a socket there, the units' one if there is anything in it.
    ///
    /// - Parameters:
    ///   - isServed: whether a daemon's socket in a directory has somebody behind it.
    ///   - hasUnits: whether systemd has a unit of ours that is not merely stopped. Asked last: it takes longest.
    static func choose(own: String, isServed: (String) -> Bool, hasUnits: () -> Bool) -> String {
        if isServed(own) { return own }
        return isServed(Self.ofUnits) || hasUnits() ? Self.ofUnits : own
    }

    /// The directory of the stratd that a command is for: as above, asked of stratd's socket alone.
    ///
    /// - Parameters:
    ///   - isServed: whether stratd's socket in a directory has somebody behind it.
    ///   - hasOthers: whether another daemon's socket in a directory has.
    /// - Throws: code 64 when the units' stratd answers, and in the user's own directory stratd or another daemon: to command the
    ///   wrong one is worse than to ask.
    static func chooseForCommand(
        own: String, isOfUnits: (String) -> Bool, isServed: (String) -> Bool, hasOthers: (String) -> Bool,
        hasUnits: () -> Bool
    ) throws(DaemonExit) -> String {
        guard isServed(Self.ofUnits) && !isOfUnits(own) && (isServed(own) || hasOthers(own)) else {
            return Self.choose(own: own, isServed: isServed, hasUnits: hasUnits)
        }
        throw DaemonExit(
            .usage,
            """
            \(isServed(own) ? "A stratd answers" : "Daemons without a stratd run") in \(own) and another stratd in \
            \(Self.ofUnits), so nothing was done. Say which is meant: --runtime-dir \(Self.ofUnits) for that of systemd's units, \
            --runtime-dir \(own) for your own, as of polybot run.
            """)
    }

    /// Whether stratd's socket in `directory` has somebody behind it, be it one who does not let us in.
    static func hasStrategy(_ directory: String) -> Bool {
        BlockingSocket.isServed("\(directory)/\(ChildName.stratd).sock")
    }

    /// Whether any daemon's socket in `directory` has somebody behind it, be it one who does not let us in.
    static func isServed(_ directory: String) -> Bool {
        ChildName.daemons.contains { BlockingSocket.isServed("\(directory)/\($0).sock") }
    }

    /// Whether `directory` is the units' one, by whatever name.
    static func isOfUnits(_ directory: String) -> Bool {
        var one = stat()
        var other = stat()
        return stat(directory, &one) == 0 && stat(Self.ofUnits, &other) == 0 && one.st_dev == other.st_dev
            && one.st_ino == other.st_ino
    }

    /// What to say of a socket that may not be opened.
    static func permission(in directory: String) -> String {
        Self.isOfUnits(directory)
            ? "no permission: be a member of group polybot" : "no permission: the daemons there are another user's"
    }
}
