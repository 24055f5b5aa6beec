import COpenSSL
public import Shared

/// Why an opening handshake did not lead to a WebSocket.
public enum WebSocketHandshakeError: Error, Equatable, CustomStringConvertible {
    /// The server answered with another status than 101: too many attempts (429), not allowed (403), maintenance (503).
    ///
    /// `retryAfter`: how long it asks us to stay away.
    case rejected(status: Int, retryAfter: Duration? = nil)
    /// The answer is not HTTP, or does not prove that the server speaks WebSocket.
    case malformed(String)

    public var description: String {
        switch self {
        case .rejected(let status, let pause):
            "the server answered the handshake with HTTP status \(status)"
                + (pause.map { ", to be asked again in \($0.milliseconds / 1_000) s" } ?? "")
        case .malformed(let detail): "the server's answer to the handshake is wrong: \(detail)"
        }
    }
}

/// The opening handshake of RFC 6455, section 4, as a value: the request to send, and the reading of the answer.
public struct WebSocketHandshake: Sendable {
    public typealias Header = (name: String, value: String)

    /// Largest head of an answer that is believed. Cloudflare's take about 1 KiB.
    public static let headByteCountMax = 16 << 10
    /// RFC 6455, 1.3.
    private static let acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// The whole request, ready to send.
    public let request: [UInt8]
    /// What was agreed about compressed messages, once the answer is whole.
    public private(set) var deflate: WebSocketDeflate?
    private let expectedAccept: String
    private let offersDeflate: Bool
    private var head: [UInt8] = []

    /// - Parameters:
    ///   - key: sixteen random bytes; the answer proves that the server has read them.
    ///   - headers: sent as they are. Names and values come from the program: a line end in them is a bug.
    ///   - offersDeflate: whether the server may compress what it sends.
    public init(
        url: WebSocketURL, key: [UInt8], userAgent: String, headers: [Header] = [], offersDeflate: Bool = false
    ) {
        precondition(key.count == 16, "a key has sixteen bytes")
        let encodedKey = Base64.encode(key)
        var lines = [
            "GET \(url.target) HTTP/1.1", "Host: \(url.authority)", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: \(encodedKey)", "Sec-WebSocket-Version: 13", "User-Agent: \(userAgent)",
        ]
        if offersDeflate { lines.append("Sec-WebSocket-Extensions: \(WebSocketDeflate.offer)") }
        lines += headers.map { "\($0.name): \($0.value)" }
        precondition(
            lines.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }, "a header has a control character")
        self.request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        self.expectedAccept = Self.accept(for: encodedKey)
        self.offersDeflate = offersDeflate
    }

    /// Takes bytes of the answer. Nil: more are needed. Otherwise the number of bytes that belonged to the answer; what
    /// follows them are frames already.
    ///
    /// - Parameter time: when they came.
    public mutating func receive(
        _ bytes: UnsafeBufferPointer<UInt8>, time: Timestamp
    ) throws(WebSocketHandshakeError) -> Int? {
        for (index, byte) in bytes.enumerated() {
            self.head.append(byte)
            if byte == UInt8(ascii: "\n"), self.head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                try self.check(time)
                return index + 1
            }
            guard self.head.count < Self.headByteCountMax else {
                throw .malformed("its head is larger than \(Self.headByteCountMax) bytes")
            }
        }
        return nil
    }

    private mutating func check(_ time: Timestamp) throws(WebSocketHandshakeError) {
        // Compared as bytes of Latin-1: a character of Swift would join "\r\n", and UTF-8 is not promised.
        var lines = self.head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
        let statusLine = String(decoding: lines.removeFirst(), as: UTF8.self)
        let words = statusLine.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1])
        else {
            throw .malformed("it begins with \"\(statusLine.prefix(80))\"")
        }
        var values: [String: String] = [:]
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
                if status != 101 { continue }
                throw .malformed("it has a line without a name")
            }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = Self.trimmed(String(decoding: line[(colon + 1)...], as: UTF8.self))
            values[name] = values[name].map { "\($0),\(value)" } ?? value
        }
        guard status == 101 else {
            let pause = values["retry-after"].flatMap { RetryAfter.pause($0, date: values["date"], time: time) }
            throw .rejected(status: status, retryAfter: pause)
        }
        guard values["upgrade"]?.lowercased() == "websocket" else { throw .malformed("no \"Upgrade: websocket\"") }
        let tokens = values["connection", default: ""].lowercased().split(separator: ",").map {
            Self.trimmed(String($0))
        }
        guard tokens.contains("upgrade") else { throw .malformed("no \"Connection: Upgrade\"") }
        guard values["sec-websocket-accept"] == self.expectedAccept else {
            throw .malformed("its Sec-WebSocket-Accept is not the answer to our key")
        }
        // With something that was not offered, frames could mean something else than we believe.
        let extensions = values["sec-websocket-extensions", default: ""]
        guard self.offersDeflate || extensions.isEmpty else {
            throw .malformed("it names an extension that was not offered")
        }
        guard values["sec-websocket-protocol", default: ""].isEmpty else {
            throw .malformed("it names a subprotocol that was not offered")
        }
        if self.offersDeflate { self.deflate = try WebSocketDeflate(answer: extensions) }
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        var rest = text.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return String(rest)
    }

    /// The answer to a key (RFC 6455, 4.2.2).
    static func accept(for encodedKey: String) -> String {
        let bytes = Array((encodedKey + Self.acceptSuffix).utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        copenssl_sha1(bytes, bytes.count, &digest)
        return Base64.encode(digest)
    }
}

/// Base64 with padding, encoding only (RFC 4648, 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = (0..<3).reduce(UInt32(0)) {
                $0 << 8 | (start + $1 < bytes.count ? UInt32(bytes[start + $1]) : 0)
            }
            for index in 0..<4 {
                let letter = self.alphabet[Int(bits >> (18 - 6 * UInt32(index)) & 0x3F)]
                output.append(index <= group.count ? letter : UInt8(ascii: "="))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
