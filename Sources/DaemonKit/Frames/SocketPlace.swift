import Glibc
import Logging

/// Gets a daemon's listener into its place, and back there when somebody has removed the socket or its directory.
final class SocketPlace {
    private let context: DaemonContext
    private let access: Access
    private let path: String
    /// What a failure was last told with; the same is told once.
    private var toldFailure: String?

    init(_ context: DaemonContext, access: Access) {
        self.context = context
        self.access = access
        self.path = context.socketPath(of: context.name)
    }

    /// The listener that the manager kept, if its file is still there; else a new one, which it keeps from now on.
    ///
    /// - Throws: `DaemonExit` when the socket cannot be had.
    func listener() throws(DaemonExit) -> UnixListener {
        if let place = UnixListener.Place(of: self.path),
            let kept = self.context.notifier.takeKeptListener(named: self.keptName(place))
        {
            self.context.logger.info("Took over the kept listener", metadata: ["socket": "\(self.path)"])
            return UnixListener(kept: kept, path: self.path, place: place)
        }
        do {
            return try self.bind()
        } catch {
            let code: DaemonExit.Code = if case .pathTooLong = error { .configuration } else { .refused }
            throw DaemonExit(code, "\(error)")
        }
    }

    /// Binds anew for a server whose socket is gone. Where the place is lost for this process, as a removed directory is
    /// for the mounts that systemd made for it, a process that starts anew gets it back.
    func recover(_ server: FrameServer) {
        do {
            try self.context.createRuntimeDirectory()
            let lost = server.place
            try server.move(to: try self.bind())
            if self.context.notifier.isActive { self.context.notifier.dropKeptListener(named: self.keptName(lost)) }
            self.toldFailure = nil
            self.context.logger.warning(
                "The socket was gone and is back in its place", metadata: ["socket": "\(self.path)"])
        } catch {
            let reason = "\(error)"
            if self.toldFailure != reason {
                self.toldFailure = reason
                self.context.logger.error(
                    "The socket is gone from its place and cannot be made anew",
                    metadata: ["socket": "\(self.path)", "reason": "\(reason)"])
            }
            guard self.context.notifier.isActive else { return }
            self.context.requestStop(
                DaemonExit(.temporary, "The socket \(self.path) is gone: starting anew to get it back."))
        }
    }

    private func bind() throws(ListenerError) -> UnixListener {
        let bound = try UnixListener.bind(
            self.path, mode: self.access.socketMode, group: self.access.socketGroup)
        guard self.context.notifier.isActive else { return bound }
        self.context.notifier.keepListener(bound.descriptor, named: self.keptName(bound.place))
        return bound.kept
    }

    /// Names the file too: a listener whose file is gone is of no use to the next process.
    private func keptName(_ place: UnixListener.Place) -> String { "\(self.context.name)@\(place)" }
}
