/// A text that is no WebSocket address, and why.
public struct WebSocketURLError: Error, Equatable, CustomStringConvertible {
    public let description: String
}

/// Where a WebSocket connection goes: `ws://` or `wss://`, host, port, path and query.
public struct WebSocketURL: Hashable, Sendable, CustomStringConvertible {
    /// Longest address that is accepted, in bytes.
    public static let byteCountMax = 8_192

    public let isSecure: Bool
    /// Host and, where the address names one, port: the `Host` header. An IPv6 host stands in brackets.
    public let authority: String
    /// Path and query, at least `/`: the target of the request.
    public let target: String

    public var description: String { "\(self.isSecure ? "wss" : "ws")://\(self.authority)\(self.target)" }
    /// The address under which libcurl opens the line.
    var lineURL: String { "\(self.isSecure ? "https" : "http")://\(self.authority)/" }

    public init(_ text: String) throws(WebSocketURLError) {
        guard text.utf8.count <= Self.byteCountMax else {
            throw WebSocketURLError(description: "the address is longer than \(Self.byteCountMax) bytes")
        }
        // A space or a line end would end up in the request's first line.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw WebSocketURLError(description: "the address contains a space, a control or a non-ASCII character")
        }
        let lowered = text.lowercased()
        let rest: Substring
        if lowered.hasPrefix("wss://") {
            self.isSecure = true
            rest = text.dropFirst(6)
        } else if lowered.hasPrefix("ws://") {
            self.isSecure = false
            rest = text.dropFirst(5)
        } else {
            throw WebSocketURLError(description: "the address does not begin with ws:// or wss://")
        }
        guard !rest.contains("#") else { throw WebSocketURLError(description: "the address has a fragment (#)") }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw WebSocketURLError(description: "the address names a user (@)") }
        guard Self.isAuthority(authority) else {
            throw WebSocketURLError(description: "\"\(authority)\" is not a host or host:port")
        }
        self.authority = String(authority)
        let target = rest.dropFirst(authority.count)
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
    }

    private static func isAuthority(_ text: Substring) -> Bool {
        let host: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            host = text[...end]
            guard host.count > 2 else { return false }
        } else {
            host = text.prefix { $0 != ":" }
            guard !host.isEmpty else { return false }
        }
        let port = text.dropFirst(host.count)
        if port.isEmpty { return true }
        guard let number = UInt16(port.dropFirst()) else { return false }
        return port.hasPrefix(":") && number > 0 && !port.contains("+")
    }
}
