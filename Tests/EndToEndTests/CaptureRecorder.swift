import Glibc
import Shared

@testable import DaemonKit

/// Records the market channel of a venue, as lines of `{"f","recv_ms","raw"}`.
final class CaptureRecorder: @unchecked Sendable {
    private let loop: EventLoop
    private let thread: WorkerThread
    private let lock = Mutex()
    /// Guarded by `lock`.
    private var storedLines: [String] = []
    /// Guarded by `lock`.
    private var pongCount = 0
    // Loop only, below.
    private var socket: WebSocketConnection?

    init(port: Int, tokens: [String]) throws {
        let loop = try EventLoop()
        self.loop = loop
        self.thread = try WorkerThread { loop.run() }
        let url = try WebSocketURL("ws://127.0.0.1:\(port)/ws/market")
        loop.execute {
            let socket = WebSocketConnection(url: url, loop: loop)
            self.socket = socket
            socket.onOpen = {
                let ids = tokens.map { "\"\($0)\"" }.joined(separator: ",")
                _ = socket.send(text: #"{"type":"market","assets_ids":[\#(ids)]}"#)
            }
            socket.onText = { self.take(String(decoding: $0, as: UTF8.self)) }
            socket.connect()
        }
    }

    deinit {
        self.loop.stop()
        self.thread.join()
    }

    private func take(_ text: String) {
        self.lock.lock()
        defer { self.lock.unlock() }
        if text == "PONG" {
            self.pongCount += 1
        } else if text.first == "{" || text.hasPrefix("[{") {
            let milliseconds = Timestamp.now().microseconds / 1_000
            self.storedLines.append(#"{"f":\#(self.storedLines.count),"recv_ms":\#(milliseconds),"raw":\#(text)}"#)
        }
    }

    /// What was recorded so far.
    var lines: [String] {
        self.lock.lock()
        defer { self.lock.unlock() }
        return self.storedLines
    }

    private var pongs: Int {
        self.lock.lock()
        defer { self.lock.unlock() }
        return self.pongCount
    }

    /// Waits until everything that the venue has sent by now is recorded, and ends the recording.
    func finish() async throws {
        let before = self.pongs
        self.loop.execute { _ = self.socket?.send(text: "PING") }
        try await waitFor("the venue's answer to a PING") { self.pongs > before ? true : nil }
        await withCheckedContinuation { continuation in
            self.loop.execute {
                // Ends the circle of the socket, its callbacks and this object.
                self.socket?.onOpen = nil
                self.socket?.onText = nil
                self.socket?.abort()
                self.socket = nil
                continuation.resume()
            }
        }
    }
}
