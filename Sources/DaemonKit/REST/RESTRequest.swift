public import Shared

/// One HTTP request.
public struct RESTRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    public var method: Method
    /// `http://` or `https://`, already percent-encoded.
    public var url: String
    /// Sent in this order. An empty value is sent as an empty value.
    public var headers: [(name: String, value: String)]
    /// Of a POST or DELETE. Its type is `application/json` unless a header says otherwise.
    public var body: [UInt8]
    /// For everything, from the call to the last byte of the answer.
    public var timeout: Duration
    /// A larger answer, counted after decompression, is refused.
    public var responseByteCountMax: Int

    public static let timeoutDefault = Duration.seconds(10)
    /// A Gamma page of 500 markets is about 3 MB.
    public static let responseByteCountMaxDefault = 16 << 20

    public init(
        _ method: Method = .get, url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeout: Duration = Self.timeoutDefault, responseByteCountMax: Int = Self.responseByteCountMaxDefault
    ) {
        precondition(method != .get || body.isEmpty, "a GET has no body")
        precondition(timeout > .zero && responseByteCountMax >= 0)
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.responseByteCountMax = responseByteCountMax
    }

    /// What must not go to the wire, or nil: a line end inside a header would begin another one.
    var mistake: String? {
        guard self.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return "the URL contains a space, a control or a non-ASCII character"
        }
        for (name, value) in self.headers {
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }) else {
                return "\"\(name)\" is not a header's name"
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                return "the value of header \(name) contains a control character"
            }
        }
        return nil
    }
}

/// The whole answer to a request, whatever its status.
public struct RESTResponse: Sendable {
    public let status: Int
    /// In the server's order, names in lower case.
    public let headers: [(name: String, value: String)]
    /// Decompressed.
    public let body: [UInt8]
    /// When the request was handed to the network, by our clock.
    public let startedTime: Timestamp
    /// From then to the last byte of the answer.
    public let duration: Duration

    public var isSuccess: Bool { (200..<300).contains(self.status) }

    /// The first header of this name, in any case.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return self.headers.first { $0.name == name }?.value
    }

    /// Longest pause that `retryAfter` tells; a server that asks for more is asked again after this.
    public static let retryAfterMax = RetryAfter.pauseMax

    /// How long the server asks us to stay away, where it says so, in seconds or by a date (429, 503).
    public var retryAfter: Duration? {
        self.header("retry-after").flatMap {
            RetryAfter.pause($0, date: self.header("date"), time: self.startedTime + self.duration)
        }
    }
}

/// A request without a whole answer.
public struct RESTError: Error, Equatable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        /// Our own mistake: address or header.
        case badRequest = "the request is wrong"
        case unresolved = "the host's name was not resolved"
        case refused = "the connection was refused"
        case tls = "TLS failed"
        case timedOut = "no answer in time"
        case connectionLost = "the connection was lost"
        case responseTooLarge = "the answer is too large"
        case badResponse = "the answer is not HTTP"
        /// `requestCountMax` requests are waiting for their answers.
        case tooManyRequests = "too many requests at once"
        /// The task that asked was cancelled.
        case cancelled = "cancelled"
        /// The client was stopped.
        case stopped = "the client is stopped"
    }

    public let reason: Reason
    public let detail: String
    /// Whether the server may have received the request, and done what it asks, although no answer came. When false,
    /// not one byte of it has left, and it may be sent again.
    public let isOutcomeUnknown: Bool

    public init(_ reason: Reason, detail: String = "", isOutcomeUnknown: Bool) {
        self.reason = reason
        self.detail = detail
        self.isOutcomeUnknown = isOutcomeUnknown
    }

    public var description: String {
        self.reason.rawValue + (self.detail.isEmpty ? "" : ": \(self.detail)")
            + (self.isOutcomeUnknown ? " (the request may have been received)" : " (the request was not sent)")
    }
}
