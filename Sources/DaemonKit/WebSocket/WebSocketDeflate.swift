/// What was agreed about compressed messages: the extension permessage-deflate, as the server answered our offer.
///
/// Our own messages are sent as they are: they are few and short. So whatever a server asks of them is kept.
/// Source: RFC 7692, 7.1.
public struct WebSocketDeflate: Hashable, Sendable, CustomStringConvertible {
    static let name = "permessage-deflate"
    /// What we say of ourselves: that a server may bound our window, as browsers say.
    static let offer = name + "; client_max_window_bits"
    /// Logarithms of a window's size in bytes.
    static let windowBits = 8...15

    /// Whether each of the server's messages stands for itself, and refers to none before it.
    public private(set) var serverNoContextTakeover = false
    public private(set) var clientNoContextTakeover = false
    /// How far back the server's messages refer; nil for the most.
    public private(set) var serverMaxWindowBits: Int?
    public private(set) var clientMaxWindowBits: Int?

    private init() {}

    /// Reads the answer's header Sec-WebSocket-Extensions. Nil: the server does not compress.
    init?(answer: String) throws(WebSocketHandshakeError) {
        let extensions = answer.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
        guard !extensions.isEmpty else { return nil }
        var found: WebSocketDeflate?
        for text in extensions {
            let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
            guard parts[0] == Self.name else { throw .malformed("it names an extension that was not offered") }
            guard found == nil else { throw .malformed("it names \(Self.name) twice") }
            found = try Self.read(parts.dropFirst())
        }
        guard let found else { return nil }
        self = found
    }

    private static func read(_ parameters: ArraySlice<Substring>) throws(WebSocketHandshakeError) -> WebSocketDeflate {
        var deflate = WebSocketDeflate()
        var names: Set<Substring> = []
        for parameter in parameters {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map(Self.trimmed)
            let name = parts[0]
            guard names.insert(name).inserted else { throw .malformed("\(Self.name) has \(name) twice") }
            try deflate.take(name, parts.count > 1 ? Self.unquoted(parts[1]) : nil)
        }
        return deflate
    }

    private mutating func take(_ name: Substring, _ value: Substring?) throws(WebSocketHandshakeError) {
        switch name {
        case "server_no_context_takeover": self.serverNoContextTakeover = try Self.flag(name, value)
        case "client_no_context_takeover": self.clientNoContextTakeover = try Self.flag(name, value)
        case "server_max_window_bits": self.serverMaxWindowBits = try Self.bits(name, value)
        case "client_max_window_bits": self.clientMaxWindowBits = try Self.bits(name, value)
        default: throw .malformed("\(Self.name) has a parameter that does not exist: \"\(name.prefix(40))\"")
        }
    }

    private static func flag(_ name: Substring, _ value: Substring?) throws(WebSocketHandshakeError) -> Bool {
        guard value == nil else { throw .malformed("\(Self.name) gives \(name) a value") }
        return true
    }

    private static func bits(_ name: Substring, _ value: Substring?) throws(WebSocketHandshakeError) -> Int {
        // Compared as text: the standard allows neither signs nor zeros before a number.
        guard let bits = Self.windowBits.first(where: { value == "\($0)" }) else {
            throw .malformed("\(Self.name) has a \(name) that is not 8 to 15: \"\((value ?? "").prefix(40))\"")
        }
        return bits
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        var rest = text.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }

    private static func unquoted(_ text: Substring) -> Substring {
        text.count >= 2 && text.first == "\"" && text.last == "\"" ? text.dropFirst().dropLast() : text
    }

    /// As the header has it.
    public var description: String {
        let parts = [
            Self.name, self.serverNoContextTakeover ? "server_no_context_takeover" : nil,
            self.clientNoContextTakeover ? "client_no_context_takeover" : nil,
            self.serverMaxWindowBits.map { "server_max_window_bits=\($0)" },
            self.clientMaxWindowBits.map { "client_max_window_bits=\($0)" },
        ]
        return parts.compactMap { $0 }.joined(separator: "; ")
    }
}
