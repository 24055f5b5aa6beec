import DaemonKit
import Glibc
import Logging
import Shared

/// Follows the daemons' sockets and keeps a `Picture` of what they say. Confined to its loop.
final class PictureClients {
    private(set) var picture = Picture()
    /// Called with who answers.
    var onConnected: (ChildName, Hello) -> Void = { _, _ in }
    /// Called with who has stopped answering.
    var onDisconnected: (ChildName) -> Void = { _ in }
    /// Called after each frame.
    var onFrame: () -> Void = {}

    private let clients: [ChildName: FrameClient]

    init(loop: EventLoop, runtimeDirectory: String) {
        let logger = Logger(label: "polybot") { _ in SwiftLogNoOpLogHandler() }
        var clients: [ChildName: FrameClient] = [:]
        for daemon in ChildName.daemons {
            clients[daemon] = FrameClient(
                loop: loop, path: "\(runtimeDirectory)/\(daemon).sock", hello: .ours,
                seed: UInt64.random(in: .min ... .max), logger: logger)
        }
        self.clients = clients
        for (daemon, client) in clients {
            client.onConnected = { [unowned self] hello in
                // Of the feed only how it stands is of interest here, not each book.
                self.clients[daemon]?.send(Subscribe(id: 1, markets: daemon == .feedd ? .only([]) : .all))
                self.picture.connected(daemon, hello)
                self.onConnected(daemon, hello)
            }
            client.onDisconnected = { [unowned self] reason in
                self.picture.disconnected(daemon, reason)
                self.onDisconnected(daemon)
            }
            client.onFrame = { [unowned self] envelope in
                self.picture.take(envelope, from: daemon)
                self.onFrame()
            }
        }
    }

    func start(_ daemon: ChildName) { self.clients[daemon]?.start() }

    func stop() { for client in self.clients.values { client.stop() } }
}

extension Hello {
    /// Who we are, for the daemons.
    static var ours: Hello {
        Hello(
            daemon: "polybot", version: polybotVersion,
            instance: String(UInt64.random(in: 1 << 60 ... .max), radix: 16), pid: Int64(getpid()))
    }
}
