import Shared

/// What the venue answers to a request.
struct Answer: Sendable {
    let status: Int
    let body: [UInt8]
    /// Seconds for `Retry-After`.
    var retryAfter: Int64?

    /// JSON that `body` writes.
    static func json(status: Int = 200, _ body: (inout JSONWriter) -> Void) -> Answer {
        var writer = JSONWriter(capacity: 4_096)
        body(&writer)
        return Answer(status: status, body: writer.bytes)
    }

    static func error(_ status: Int, _ sentence: String) -> Answer {
        .json(status: status) {
            $0.object {
                $0.key("error")
                $0.string(sentence)
            }
        }
    }

    static let unknownPath = Answer.error(404, "not found: no such path here")
    static let unknownToken = Answer.error(404, "No orderbook exists for the requested token id")
    static let invalidToken = Answer.error(400, "Invalid token id")
}

/// A request as far as the pages care.
struct PageRequest: Sendable {
    let method: String
    /// Path between slashes, decoded: `["markets", "slug", "btc-…"]`.
    let path: [String]
    /// In the order given; a key may repeat.
    let query: [(key: String, value: String)]
    let body: [UInt8]

    /// - Returns: `nil` when `target` is no path of ours: not rooted, or with broken escapes.
    init?(method: String, target: String, body: [UInt8] = []) {
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let rawPath = halves.first, rawPath.first == "/" else { return nil }
        var path: [String] = []
        for part in rawPath.split(separator: "/") {
            guard let text = Self.decode(part) else { return nil }
            path.append(text)
        }
        var query: [(key: String, value: String)] = []
        if halves.count == 2 {
            for pair in halves[1].split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard let key = Self.decode(parts[0]), let value = Self.decode(parts.count == 2 ? parts[1] : "") else {
                    return nil
                }
                query.append((key, value))
            }
        }
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }

    func value(_ key: String) -> String? { self.query.first { $0.key == key }?.value }
    func values(_ key: String) -> [String] { self.query.filter { $0.key == key }.map(\.value) }

    /// Resolves "%41" and "+".
    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next(), let low = rest.next(),
                    let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
