import Shared

@testable import DaemonKit

/// Any cut of the server's answer is judged alike, and no address leads to a request with more lines than ours.
enum HandshakeTarget {
    private enum Outcome: Equatable {
        case pending
        case done(Int, WebSocketDeflate?)
        case failed(WebSocketHandshakeError)
    }

    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        let bytes = Array(input)
        let ways = cuts(of: bytes)
        for offersDeflate in [false, true] {
            let whole = self.answer(ways[0], offersDeflate)
            for pieces in ways.dropFirst() {
                check(self.answer(pieces, offersDeflate) == whole, "another cut is judged otherwise")
            }
            if case .done(_, let deflate?) = whole {
                let again = try? WebSocketDeflate(answer: deflate.description)
                check(offersDeflate && again == deflate, "what was agreed is written as something else")
            }
        }
        if let url = try? WebSocketURL(String(decoding: bytes, as: UTF8.self)) {
            let request = WebSocketHandshake(url: url, key: [UInt8](repeating: 7, count: 16), userAgent: "fuzz").request
            check(request.count { $0 == UInt8(ascii: "\n") } == 8, "an address that adds lines to the request")
            check((try? WebSocketURL(url.description)) == url, "an address is written as another")
        }
    }

    private static func answer(_ pieces: [[UInt8]], _ offersDeflate: Bool) -> Outcome {
        guard let url = try? WebSocketURL("wss://venue.example/ws/market") else { fatalError("the address is good") }
        var handshake = WebSocketHandshake(
            url: url, key: [UInt8](repeating: 7, count: 16), userAgent: "fuzz", offersDeflate: offersDeflate)
        var taken = 0
        for piece in pieces {
            do throws(WebSocketHandshakeError) {
                if let count = try self.receive(piece, &handshake) {
                    return .done(taken + count, handshake.deflate)
                }
            } catch {
                return .failed(error)
            }
            taken += piece.count
        }
        return .pending
    }

    private static func receive(
        _ piece: [UInt8], _ handshake: inout WebSocketHandshake
    ) throws(WebSocketHandshakeError) -> Int? {
        let result = piece.withUnsafeBufferPointer { bytes in
            Result { () throws(WebSocketHandshakeError) in
                try handshake.receive(bytes, time: Timestamp(microseconds: 0))
            }
        }
        return try result.get()
    }
}
