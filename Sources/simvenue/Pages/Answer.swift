import Shared

/// What the venue answers to a request.
struct Answer: Sendable {
    struct Header: Hashable, Sendable {
        let name: String
        let value: String
    }

    let status: Int
    let body: [UInt8]
    /// Seconds for `Retry-After`.
    var retryAfter: Int64?
    /// Beside those that every answer has.
    var headers: [Header] = []

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

    /// The same with further headers.
    func with(_ headers: [Header]) -> Answer {
        var answer = self
        answer.headers += headers
        return answer
    }

    static let unknownPath = Answer.error(404, "not found: no such path here")
    static let unknownToken = Answer.error(404, "No orderbook exists for the requested token id")
    static let unknownMarket = Answer.error(404, "market not found")
    static let invalidToken = Answer.error(400, "Invalid token id")
}

/// A request as far as the pages care.
struct PageRequest: Sendable {
    /// Headers that are kept, and the bytes of one.
    static let headerCountMax = 32
    static let headerByteCountMax = 4_096
    /// Only headers whose names begin so mean anything here.
    private static let headerPrefix = "poly"

    let method: String
    /// As it was sent, without the query.
    let rawPath: String
    /// Path between slashes, decoded: `["markets", "slug", "btc-…"]`.
    let path: [String]
    /// In the order given; a key may repeat.
    let query: [(key: String, value: String)]
    let body: [UInt8]
    /// By name in lower case; `nil` for one that came twice.
    private let headers: [String: String?]

    /// - Parameter headers: as they were sent.
    /// - Returns: `nil` when `target` is no path of ours: not rooted, or with broken escapes.
    init?(method: String, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
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
        self.rawPath = String(rawPath)
        self.path = path
        self.query = query
        self.body = body
        self.headers = Self.kept(headers)
    }

    /// Those that mean anything; of more than are kept, none is.
    private static func kept(_ headers: [(name: String, value: String)]) -> [String: String?] {
        var kept: [String: String?] = [:]
        for header in headers where header.value.utf8.count <= Self.headerByteCountMax {
            let name = header.name.lowercased()
            guard name.hasPrefix(Self.headerPrefix) else { continue }
            kept.updateValue(kept[name] == nil ? header.value : nil, forKey: name)
        }
        return kept.count <= Self.headerCountMax ? kept : [:]
    }

    /// The value of a header, whatever the case of its name; `nil` when it is absent or was sent twice.
    func header(_ name: String) -> String? { self.headers[name.lowercased()] ?? nil }

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
