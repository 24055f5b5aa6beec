import DaemonKit
import Glibc
import Logging
import Shared

/// The daemons' side of the Unix-socket hop, played by the C client.
///
///     hopserver loop PATH      the event loop alone: each frame is cut out and sent back as it came
///     hopserver frames PATH    the whole `FrameServer`: each envelope is read, and answered with one of the same size
@main
struct HopServer {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, ["loop", "frames"].contains(arguments[1]) else {
            print("usage: hopserver loop|frames PATH")
            exit(64)
        }
        let loop = try EventLoop()
        let listener = try UnixListener.bind(arguments[2], mode: 0o600)
        if arguments[1] == "loop" {
            try Self.echo(on: loop, listener.descriptor)
        } else {
            let server = FrameServer(
                loop: loop, listener: listener, access: .sameUser,
                hello: Hello(daemon: "bench", version: "1", instance: "1", pid: Int64(getpid())),
                logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
            server.onFrame = { [unowned server] peer, envelope in
                server.send(Echo(json: Array(envelope.body)), to: peer)
            }
            try server.start()
            loop.run()
        }
    }

    private static func echo(on loop: EventLoop, _ listener: Int32) throws {
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, -1)
        let peer = accept(listener, nil, nil)
        var decoder = FrameDecoder()
        var answer: [UInt8] = []
        try loop.watch(peer, for: .read) { _ in
            let count = decoder.receive { recv(peer, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
            guard count > 0 else { exit(0) }
            answer.removeAll(keepingCapacity: true)
            do throws(FrameError) {
                var more = true
                while more {
                    more =
                        try decoder.next { (frame) throws(FrameError) -> Void in
                            withUnsafeBytes(of: UInt32(frame.count).bigEndian) { answer.append(contentsOf: $0) }
                            answer.append(contentsOf: frame)
                        } != nil
                }
            } catch { exit(1) }
            _ = answer.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
        loop.run()
    }
}

/// A body that is sent back as it came.
private struct Echo: FrameBody {
    static let type = FrameType.metrics
    let json: [UInt8]
    init(json: [UInt8]) { self.json = json }
    init(reading reader: inout JSONReader) throws(JSONError) { self.json = Array(try reader.raw()) }
    func write(to writer: inout JSONWriter) { writer.raw(self.json) }
}
