import Compression
import Shared
import Testing

/// Messages that are deflated and inflated again.
@Suite struct MessageDeflaterTests {
    private static func deflated(_ bytes: [UInt8], _ deflater: MessageDeflater) -> [UInt8] {
        bytes.withUnsafeBufferPointer { deflater.message($0) }
    }

    /// What a message becomes in pieces of at most `roomByteCount`.
    private static func inflated(
        _ bytes: [UInt8], _ inflater: MessageInflater, roomByteCount: Int = 1_000
    ) throws -> [UInt8] {
        var room = [UInt8](repeating: 0, count: roomByteCount)
        var output: [UInt8] = []
        try bytes.withUnsafeBufferPointer { bytes in
            var rest = bytes
            var isFull = false
            while !rest.isEmpty || isFull {
                let count = try room.withUnsafeMutableBufferPointer { try inflater.inflate(&rest, to: $0) }
                output += room[..<count]
                isFull = count == room.count
            }
        }
        let count = try room.withUnsafeMutableBufferPointer { try inflater.endMessage($0) }
        return output + room[..<count]
    }

    @Test(arguments: [1, 2, 7, 1_000, 100_000])
    func messagesComeBackThroughRoomsOfEverySize(roomByteCount: Int) throws {
        let deflater = MessageDeflater()
        let inflater = MessageInflater()
        var random = SeededRandom(seed: UInt64(roomByteCount))
        for size in [0, 0, 1, 0, 0, 100, 5_000, 40_000] {
            let message = (0..<size).map { _ in UInt8.random(in: 0...3, using: &random) }
            let back = try Self.inflated(
                Self.deflated(message, deflater), inflater, roomByteCount: roomByteCount)
            #expect(back == message)
        }
    }

    @Test func aMessageRefersToThoseBeforeItUntilTheyAreForgotten() throws {
        let text = (0..<200).map { UInt8($0) }
        let deflater = MessageDeflater()
        let first = Self.deflated(text, deflater)
        let second = Self.deflated(text, deflater)
        #expect(second.count < 20 && first.count > 200)
        deflater.forget()
        #expect(Self.deflated(text, deflater) == first)
        let inflater = MessageInflater()
        #expect(try Self.inflated(first, inflater) == text)
        #expect(try Self.inflated(second, inflater) == text)
        inflater.forget()
        #expect(throws: CompressionProblem.damaged) { try Self.inflated(second, inflater) }
    }

    @Test func aMessageThatIsCutIsTorn() throws {
        let whole = Self.deflated((0..<200).map { UInt8($0) }, MessageDeflater())
        // The first byte alone would be an empty message.
        for count in [0, 2, 50, whole.count - 1] {
            #expect(throws: CompressionProblem.self) { try Self.inflated(Array(whole[..<count]), MessageInflater()) }
        }
    }
}
