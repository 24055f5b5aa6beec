import Glibc
public import Shared

extension DaemonContext {
    /// Who this daemon is, for its peers.
    public var hello: Hello {
        Hello(daemon: self.name, version: self.version, instance: self.instance, pid: Int64(getpid()))
    }

    /// The server of this daemon's own socket: on the listener that the manager kept, or on a new one that it keeps from
    /// now on. It finds its way back when somebody removes the socket.
    ///
    /// - Throws: `DaemonExit` when the socket cannot be had.
    public func makeServer() throws(DaemonExit) -> FrameServer {
        let access = Access.current(isManaged: self.notifier.isActive, runtimeDirectory: self.runtimeDirectory)
        let place = SocketPlace(self, access: access)
        let server = FrameServer(
            loop: self.loop, listener: try place.listener(), access: access, hello: self.hello, logger: self.logger)
        server.onMisplaced = { [weak server] in
            if let server { place.recover(server) }
        }
        return server
    }

    /// A client of another daemon's socket. Call `start()` when its callbacks are set.
    public func makeClient(of daemon: String) -> FrameClient {
        FrameClient(
            loop: self.loop, path: self.socketPath(of: daemon), hello: self.hello,
            seed: UInt64.random(in: .min ... .max),
            logger: self.logger)
    }
}
