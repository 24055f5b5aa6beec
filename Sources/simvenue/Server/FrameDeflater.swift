import Compression
import NIOCore
import NIOHTTP1

/// Compresses, for one connection of the market channel, the texts of frames that were made for all (RFC 7692).
final class FrameDeflater {
    /// A whole text, in the first byte of its frame, and the same when it is compressed.
    private static let text: UInt8 = 0x81
    private static let compressedText: UInt8 = 0xC1
    private static let name = "permessage-deflate"
    /// What may be asked of us: parameters that say something of the client's own messages alone.
    private static let parameters: Set<Substring> = ["client_max_window_bits", "client_no_context_takeover"]

    /// What is answered to an offer.
    static let headers: HTTPHeaders = ["Sec-WebSocket-Extensions": name]

    private let deflater = MessageDeflater()

    /// Nil where nothing is offered that can be taken.
    init?(for headers: HTTPHeaders) {
        guard Self.isOffered(headers) else { return nil }
    }

    static func isOffered(_ headers: HTTPHeaders) -> Bool {
        headers[canonicalForm: "sec-websocket-extensions"].contains { offer in
            let parts = offer.split(separator: ";").map { part in
                part.prefix { $0 != "=" }.filter { $0 != " " }[...]
            }
            return parts.first.map { $0 == Self.name } ?? false
                && parts.dropFirst().allSatisfy(Self.parameters.contains)
        }
    }

    /// Whole frames of a server in, the same with compressed texts out; what is neither is left as it is.
    func deflated(_ frames: ByteBuffer) -> ByteBuffer {
        var frames = frames
        var output = ByteBuffer()
        while let payload = Self.takeText(&frames) {
            let message = payload.withUnsafeReadableBytes { self.deflater.message($0.bindMemory(to: UInt8.self)) }
            Self.write(message, to: &output)
        }
        output.writeBuffer(&frames)
        return output
    }

    private static func takeText(_ frames: inout ByteBuffer) -> ByteBuffer? {
        var rest = frames
        guard rest.readInteger(as: UInt8.self) == Self.text, let length = rest.readInteger(as: UInt8.self) else {
            return nil
        }
        let count: Int? =
            switch length {
            case ...125: Int(length)
            case 126: rest.readInteger(as: UInt16.self).map { Int($0) }
            case 127: rest.readInteger(as: UInt64.self).flatMap { Int(exactly: $0) }
            default: nil
            }
        guard let count, let payload = rest.readSlice(length: count) else { return nil }
        frames = rest
        return payload
    }

    private static func write(_ message: [UInt8], to output: inout ByteBuffer) {
        output.writeInteger(Self.compressedText)
        switch message.count {
        case ...125: output.writeInteger(UInt8(message.count))
        case ...0xFFFF:
            output.writeInteger(UInt8(126))
            output.writeInteger(UInt16(message.count))
        default:
            output.writeInteger(UInt8(127))
            output.writeInteger(UInt64(message.count))
        }
        output.writeBytes(message)
    }
}
