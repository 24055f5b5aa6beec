extension WebSocketConnection {
    /// What a connection was waiting for when its time was over.
    public enum Phase: String, Sendable {
        /// Name, proxy, TCP and TLS.
        case connecting
        /// The server's answer to the upgrade.
        case handshake
    }

    /// Why a connection ended, or never came to be.
    public enum CloseReason: Error, Equatable, Sendable, CustomStringConvertible {
        /// The name of the host or of the proxy is not known, or no name server answers.
        case unresolved(String)
        /// Nobody listens there, or no way leads there.
        case refused(String)
        /// The certificate does not convince us, or the TLS versions do not meet.
        case tls(String)
        /// The proxy said no, or something else failed before the line was open.
        case connectFailed(String)
        /// The server answered the upgrade with another HTTP status than 101.
        case handshakeRejected(status: Int, retryAfter: Duration? = nil)
        /// The server answered the upgrade with something that is not the WebSocket protocol.
        case handshakeMalformed(String)
        case timedOut(Phase)
        /// The peer closed as the protocol has it. No code: it gave none.
        case closedByPeer(code: UInt16?, reason: String)
        /// The peer broke the protocol; it was told so with `code`.
        case protocolError(code: UInt16, detail: String)
        /// The line broke, or the peer ended it without a close frame.
        case connectionLost(String)
        /// `close(code:)` or `abort()` was called.
        case closedByUs

        public var description: String {
            switch self {
            case .unresolved(let detail): "the host's name was not resolved: \(detail)"
            case .refused(let detail): "the connection was refused: \(detail)"
            case .tls(let detail): "TLS failed: \(detail)"
            case .connectFailed(let detail): "connecting failed: \(detail)"
            case .handshakeRejected(let status, let pause):
                WebSocketHandshakeError.rejected(status: status, retryAfter: pause).description
            case .handshakeMalformed(let detail): WebSocketHandshakeError.malformed(detail).description
            case .timedOut(.connecting): "no connection in time"
            case .timedOut(.handshake): "no answer to the handshake in time"
            case .closedByPeer(let code, let reason):
                "closed by the peer with \(code.map { "code \($0)" } ?? "no code")"
                    + (reason.isEmpty ? "" : ": \(reason)")
            case .protocolError(let code, let detail):
                WebSocketProtocolError(code: code, detail: detail).description
            case .connectionLost(let detail): "the connection was lost: \(detail)"
            case .closedByUs: "closed by us"
            }
        }
    }
}
