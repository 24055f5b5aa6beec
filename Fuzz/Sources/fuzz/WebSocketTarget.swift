import DaemonKit

/// Any cut gives the same events; what is given agrees with a second, plain reading of RFC 6455.
enum WebSocketTarget {
    /// Small, so that inputs reach the bound.
    private static let messageByteCountMax = 1_000

    private enum Event: Equatable {
        case text([UInt8]), binary([UInt8]), ping([UInt8]), pong([UInt8])
        case close(UInt16?, [UInt8])
        case refused(UInt16)
    }

    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        let bytes = Array(input)
        let ways = cuts(of: bytes)
        let whole = self.decode(ways[0])
        for pieces in ways.dropFirst() { check(self.decode(pieces) == whole, "another cut gives other events") }
        for event in whole {
            switch event {
            case .text(let text):
                check(text.count <= self.messageByteCountMax, "a text of \(text.count) bytes")
                check(String(validating: text, as: UTF8.self) != nil, "a text that is not UTF-8")
            case .binary(let data): check(data.count <= self.messageByteCountMax, "a message of \(data.count) bytes")
            case .ping(let data), .pong(let data): check(data.count <= 125, "a control frame of \(data.count) bytes")
            case .close(let code, let reason):
                check(code.map(WebSocketCodec.mayBeSent) ?? reason.isEmpty, "a close that is never sent")
            case .refused(let code): check([1002, 1007, 1009].contains(code), "refused with \(code)")
            }
        }
        check(self.model(bytes[...]) == whole, "the codec and the standard differ")
        self.checkWriting(bytes)
    }

    private static func decode(_ pieces: [[UInt8]]) -> [Event] {
        var codec = WebSocketCodec(messageByteCountMax: self.messageByteCountMax)
        var events: [Event] = []
        for piece in pieces {
            piece.withUnsafeBufferPointer { buffer in
                var rest = buffer
                do throws(WebSocketProtocolError) {
                    while let event = try codec.next(&rest) {
                        switch event {
                        case .text(let bytes): events.append(.text(Array(bytes)))
                        case .binary(let bytes): events.append(.binary(Array(bytes)))
                        case .ping(let bytes): events.append(.ping(Array(bytes)))
                        case .pong(let bytes): events.append(.pong(Array(bytes)))
                        case .close(let code, let reason): events.append(.close(code, Array(reason.utf8)))
                        }
                    }
                    check(rest.isEmpty, "bytes were left, and no event came")
                } catch {
                    events.append(.refused(error.code))
                }
            }
        }
        return events
    }

    // MARK: The standard, read plainly

    private static func model(_ stream: ArraySlice<UInt8>) -> [Event] {
        var events: [Event] = []
        var rest = stream
        /// The message that is being put together: whether it is text, and what it has.
        var message: (isText: Bool, bytes: [UInt8])?
        while rest.count >= 2 {
            let first = rest[rest.startIndex]
            let second = rest[rest.startIndex + 1]
            let opcode = first & 0x0F
            let isControl = opcode >= 8
            let isKnown = [0, 1, 2, 8, 9, 10].contains(opcode)
            let isFinal = first & 0x80 != 0
            let isInPlace = isControl || (opcode == 0) == (message != nil)
            guard first & 0x70 == 0, isKnown, second & 0x80 == 0, isInPlace, !isControl || (isFinal && second <= 125)
            else {
                return events + [.refused(1002)]
            }
            let lengthCount = second == 126 ? 2 : second == 127 ? 8 : 0
            guard rest.count >= 2 + lengthCount else { return events }
            var length = UInt64(second)
            if lengthCount > 0 {
                length = rest.dropFirst(2).prefix(lengthCount).reduce(0) { $0 << 8 | UInt64($1) }
                guard length >= (lengthCount == 2 ? 126 : 65_536), length >> 63 == 0 else {
                    return events + [.refused(1002)]
                }
            }
            let before = message?.bytes.count ?? 0
            if !isControl && length > UInt64(self.messageByteCountMax - before) { return events + [.refused(1009)] }
            rest = rest.dropFirst(2 + lengthCount)
            let payload = Array(rest.prefix(Int(length)))
            let isComplete = payload.count == Int(length)
            rest = rest.dropFirst(payload.count)
            if isControl {
                guard isComplete else { return events }
                events.append(self.control(opcode, payload))
                if opcode == 8 { return events }
                continue
            }
            var joined = message ?? (opcode == 1, [])
            joined.bytes += payload
            if joined.isText && !self.mayBegin(joined.bytes, isWhole: isComplete && isFinal) {
                return events + [.refused(1007)]
            }
            guard isComplete else { return events }
            message = joined
            if isFinal {
                events.append(joined.isText ? .text(joined.bytes) : .binary(joined.bytes))
                message = nil
            }
        }
        // One byte of a header: nothing can be said of it yet.
        return events
    }

    private static func control(_ opcode: UInt8, _ payload: [UInt8]) -> Event {
        switch opcode {
        case 9: return .ping(payload)
        case 10: return .pong(payload)
        default:
            guard !payload.isEmpty else { return .close(nil, []) }
            guard payload.count >= 2 else { return .refused(1002) }
            let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
            guard WebSocketCodec.mayBeSent(code) else { return .refused(1002) }
            let reason = Array(payload[2...])
            return String(validating: reason, as: UTF8.self) == nil ? .refused(1007) : .close(code, reason)
        }
    }

    /// Whether UTF-8 is whole, or could become so by at most three more bytes.
    private static func mayBegin(_ bytes: [UInt8], isWhole: Bool) -> Bool {
        if String(validating: bytes, as: UTF8.self) != nil { return true }
        guard !isWhole else { return false }
        // The last character may be cut. Of what can follow each beginning, the lowest or the highest byte fits always.
        let tails: [[UInt8]] = [[0x80], [0xBF], [0x8F], [0x9F], [0xA0], [0x90]]
        return tails.contains { tail in
            (0...2).contains { more in
                let ending = tail + [UInt8](repeating: 0x80, count: more)
                return String(validating: bytes + ending, as: UTF8.self) != nil
                    || String(validating: bytes + [UInt8](repeating: 0x80, count: more + 1), as: UTF8.self) != nil
            }
        }
    }

    // MARK: Our own frames

    /// A frame of ours, unmasked again, holds what was put into it.
    private static func checkWriting(_ bytes: [UInt8]) {
        var output: [UInt8] = []
        let key = bytes.prefix(4).reduce(UInt32(7)) { $0 << 8 | UInt32($1) }
        WebSocketFrame.append(.binary, bytes, maskingKey: key, to: &output)
        let headerCount = bytes.count < 126 ? 6 : bytes.count <= 0xFFFF ? 8 : 14
        check(output.count == headerCount + bytes.count, "a frame of \(output.count) bytes for \(bytes.count)")
        check(output[0] == 0x82 && output[1] & 0x80 != 0, "a frame that is not final, binary and masked")
        let mask = Array(output[headerCount - 4..<headerCount])
        let payload = output[headerCount...].enumerated().map { $1 ^ mask[$0 % 4] }
        check(payload == bytes, "a frame that holds something else")
        var close: [UInt8] = []
        WebSocketFrame.appendClose(1000, reason: String(decoding: bytes, as: UTF8.self), maskingKey: key, to: &close)
        check(close.count <= 6 + WebSocketFrame.controlByteCountMax, "a close of \(close.count) bytes")
    }
}
