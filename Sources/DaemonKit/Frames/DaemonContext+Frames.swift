import Glibc
import Logging
public import Shared

extension DaemonContext {
    /// Who this daemon is, for its peers.
    public var hello: Hello {
        Hello(daemon: self.name, version: self.version, instance: self.instance, pid: Int64(getpid()))
    }

    /// The server of this daemon's own socket: on the listener that the manager kept, or on a new one that it keeps from
    /// now on.
    ///
    /// - Throws: `DaemonExit` when the socket cannot be had.
    public func makeServer() throws(DaemonExit) -> FrameServer {
        let access = Access.current(isManaged: self.notifier.isActive)
        let path = self.socketPath(of: self.name)
        let listener: UnixListener
        if let kept = self.notifier.takeKeptListener(named: self.name) {
            listener = UnixListener(kept: kept, path: path)
            self.logger.info("Took over the kept listener", metadata: ["socket": "\(path)"])
        } else {
            let bound: UnixListener
            do {
                bound = try UnixListener.bind(path, mode: access.socketMode)
            } catch {
                let code: DaemonExit.Code = if case .pathTooLong = error { .configuration } else { .refused }
                throw DaemonExit(code, "\(error)")
            }
            if self.notifier.isActive { self.notifier.keepListener(bound.descriptor, named: self.name) }
            listener = self.notifier.isActive ? bound.kept : bound
        }
        return FrameServer(loop: self.loop, listener: listener, access: access, hello: self.hello, logger: self.logger)
    }

    /// A client of another daemon's socket. Call `start()` when its callbacks are set.
    public func makeClient(of daemon: String) -> FrameClient {
        FrameClient(
            loop: self.loop, path: self.socketPath(of: daemon), hello: self.hello,
            seed: UInt64.random(in: .min ... .max),
            logger: self.logger)
    }
}
