import DaemonKit
import Glibc
import Shared
import Signing

@testable import stratd

/// A venue at loopback that answers as a test wants, one request after the other.
final class VenueStub: Sendable {
    struct Request: Sendable {
        let method: String
        /// Without the query.
        let path: String
        let body: String
    }

    let port: UInt16
    private let listener: Int32

    /// Of the thread that answers.
    private final class Desk: Sendable {
        let listener: Int32
        let answer: @Sendable (Request) -> (status: Int, body: String)
        init(_ listener: Int32, _ answer: @escaping @Sendable (Request) -> (status: Int, body: String)) {
            self.listener = listener
            self.answer = answer
        }
    }

    init(_ answer: @escaping @Sendable (Request) -> (status: Int, body: String)) throws(SystemError) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw SystemError("socket") }
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        self.port = UInt16(bigEndian: address.sin_port)
        guard isBound else { throw SystemError("bind") }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { desk in
                let desk = Unmanaged<Desk>.fromOpaque(desk!).takeRetainedValue()
                while case let peer = accept(desk.listener, nil, nil), peer >= 0 {
                    VenueStub.serve(peer, desk.answer)
                    close(peer)
                }
                close(desk.listener)
                return nil
            }, Unmanaged.passRetained(Desk(listener, answer)).toOpaque())
        guard code == 0 else { throw SystemError("pthread_create", code: code) }
        pthread_detach(thread)
    }

    deinit { shutdown(self.listener, Int32(SHUT_RDWR)) }

    private static func serve(_ peer: Int32, _ answer: (Request) -> (status: Int, body: String)) {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(peer, &piece, piece.count, 0)
            guard count > 0 else { return }
            bytes += piece[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
            let lines = text[..<end.lowerBound].split(separator: "\r\n")
            let length = lines.first { $0.lowercased().hasPrefix("content-length:") }?.split(separator: " ").last
            let body = String(text[end.upperBound...])
            guard body.utf8.count >= length.flatMap({ Int($0) }) ?? 0 else { continue }
            let words = lines[0].split(separator: " ")
            let path = words[1].prefix { $0 != "?" }
            let answer = answer(Request(method: String(words[0]), path: String(path), body: body))
            let head =
                "HTTP/1.1 \(answer.status) Answer\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(answer.body.utf8.count)\r\nConnection: close\r\n\r\n"
            let all = Array((head + answer.body).utf8)
            _ = send(peer, all, all.count, Int32(MSG_NOSIGNAL))
            return
        }
    }
}
