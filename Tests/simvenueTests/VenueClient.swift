import Glibc
import NIOCore
import NIOPosix
import Shared
import Synchronization

@testable import simvenue

/// A client on a plain blocking socket, so that the server is not tested by its own library.
final class VenueClient {
    struct Failure: Error { let what: String }

    /// How the server ended a connection.
    enum Ending { case end, reset }

    let descriptor: CInt
    /// Status line and headers of the latest response.
    private(set) var head = ""
    private var buffer: [UInt8] = []

    init(port: Int, receiveBufferByteCount: CInt? = nil) throws {
        self.descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.wait(atMost: 60_000)
        if var count = receiveBufferByteCount {
            setsockopt(self.descriptor, SOL_SOCKET, SO_RCVBUF, &count, socklen_t(MemoryLayout<CInt>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(what: "connect: \(errno)") }
    }

    deinit { close(self.descriptor) }

    /// From now on nothing is waited for longer than so many milliseconds; a minute at first.
    func wait(atMost milliseconds: Int) {
        var timeout = timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    // MARK: HTTP

    func get(_ target: String) throws -> (status: Int, body: [UInt8]) {
        try self.send("GET \(target) HTTP/1.1\r\nHost: venue\r\n\r\n")
        return try self.readResponse()
    }

    func post(_ target: String, _ body: String) throws -> (status: Int, body: [UInt8]) {
        try self.send("POST \(target) HTTP/1.1\r\nHost: venue\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try self.readResponse()
    }

    func json(_ target: String) throws -> JSONValue { try JSONValue(parsing: try self.get(target).body) }

    func readResponse() throws -> (status: Int, body: [UInt8]) {
        let head = try self.readHead()
        self.head = head
        let lines = head.split(separator: "\r\n")
        guard let status = lines.first.flatMap({ Int($0.split(separator: " ")[1]) }) else { throw Failure(what: head) }
        let length = lines.compactMap { line -> Int? in
            let parts = line.split(separator: ":")
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
            return Int(parts[1].filter { $0 != " " })
        }
        let count = length.first ?? 0
        while self.buffer.count < count { try self.fill() }
        defer { self.buffer.removeFirst(count) }
        return (status, Array(self.buffer[..<count]))
    }

    private func readHead() throws -> String {
        while true {
            let text = String(decoding: self.buffer, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n") {
                let count = text[..<end.upperBound].utf8.count
                self.buffer.removeFirst(count)
                return String(text[..<end.lowerBound])
            }
            try self.fill()
        }
    }

    // MARK: WebSocket

    /// - Returns: the status: 101 when the channel took us in.
    func upgrade(_ target: String = "/ws/market") throws -> Int {
        try self.send(
            "GET \(target) HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        return try self.readResponse().status
    }

    func subscribe(_ tokens: [TokenID], features: Bool = false, operation: String? = nil) throws {
        let ids = tokens.map { "\"\($0)\"" }.joined(separator: ",")
        let what = operation.map { "\"operation\":\"\($0)\"" } ?? "\"type\":\"market\""
        try self.sendText("{\(what),\"assets_ids\":[\(ids)],\"custom_feature_enabled\":\(features)}")
    }

    func sendText(_ text: String) throws {
        let payload = Array(text.utf8)
        let mask: [UInt8] = [1, 2, 3, 4]
        var frame: [UInt8] = [0x81]
        switch payload.count {
        case 0..<126: frame.append(0x80 | UInt8(payload.count))
        case 126..<65_536: frame += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: frame += [0xFF] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> (8 * $0)) }
        }
        frame += mask
        for (index, byte) in payload.enumerated() { frame.append(byte ^ mask[index & 3]) }
        try self.send(frame)
    }

    /// The next text; other frames are no business of these tests.
    func readText() throws -> [UInt8] {
        while true {
            let frame = try self.readFrame()
            if frame.firstByte == 0x81 { return frame.payload }
        }
    }

    func readFrame() throws -> (firstByte: UInt8, payload: [UInt8]) {
        while self.buffer.count < 2 { try self.fill() }
        var start = 2
        var count = Int(self.buffer[1] & 127)
        let lengthByteCount = count == 126 ? 2 : count == 127 ? 8 : 0
        if lengthByteCount > 0 {
            while self.buffer.count < 2 + lengthByteCount { try self.fill() }
            count = self.buffer[2..<2 + lengthByteCount].reduce(0) { $0 << 8 | Int($1) }
            start += lengthByteCount
        }
        while self.buffer.count < start + count { try self.fill() }
        defer { self.buffer.removeFirst(start + count) }
        return (self.buffer[0], Array(self.buffer[start..<start + count]))
    }

    // MARK: Bytes

    func send(_ text: String) throws { try self.send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(what: "send: \(errno)") }
            rest.removeFirst(count)
        }
    }

    private func fill() throws {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(self.descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { throw Failure(what: count == 0 ? "closed" : "recv: \(errno)") }
        self.buffer += chunk[..<count]
    }

    /// Whether the server has ended the connection, or does within the time-out.
    func isClosedByServer() -> Bool { self.waitForEnd() != nil }

    /// How the server ends the connection; `nil` when it says nothing for the time-out, or says on for minutes.
    func waitForEnd() -> Ending? {
        let deadline = ContinuousClock.now + .seconds(180)
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while ContinuousClock.now < deadline {
            let count = recv(self.descriptor, &chunk, chunk.count, 0)
            if count == 0 { return .end }
            if count < 0 { return errno == ECONNRESET ? .reset : nil }
        }
        return nil
    }
}

/// Runs `body` against a server of its own.
func withServer(
    pendingByteCountMax: Int = 16 << 20, script: FaultScript = .empty,
    _ makeCore: @escaping @Sendable (Int64) -> any VenueCore,
    _ body: (_ port: Int) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
        let server = try await VenueServer.start(
            port: 0, on: group.next(), pendingByteCountMax: pendingByteCountMax, script: script, makeCore: makeCore
        ).get()
        try await body(server.port)
    } catch {
        try await group.shutdownGracefully()
        throw error
    }
    try await group.shutdownGracefully()
}

/// What a simulated venue lists when it starts, for those who must know the markets beforehand.
final class FirstListing: Sendable {
    private let listing = Mutex(MarketRegister())
    var value: MarketRegister { self.listing.withLock { $0 } }

    func core(_ count: Int, rate: Int) -> @Sendable (Int64) -> any VenueCore {
        { time in
            let venue = SimulatedVenue(settings(count, rate: rate), at: time)
            self.listing.withLock { $0 = venue.listing }
            return venue
        }
    }
}
