import Shared
import Testing

@Suite struct FrameDecoderTests {
    /// A frame's bytes, length first.
    private static func frame(_ body: [UInt8]) -> [UInt8] {
        let length = UInt32(body.count)
        return [UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)] + body
    }

    private static let bodies: [[UInt8]] = [
        Array("{}".utf8), Array(#"{"v":1,"seq":1}"#.utf8), [0], Array(repeating: 7, count: 300),
        Array("{\"é\":\"\u{1F600}\"}".utf8),
    ]
    private static let stream = bodies.flatMap { frame($0) }

    /// Feeds pieces and collects every frame that is whole.
    private func frames(_ pieces: [[UInt8]]) throws -> [[UInt8]] {
        var decoder = FrameDecoder()
        var frames: [[UInt8]] = []
        for piece in pieces {
            decoder.append(piece)
            while let frame = try decoder.next({ Array($0) }) { frames.append(frame) }
        }
        #expect(decoder.pendingByteCount == 0)
        return frames
    }

    @Test func aStreamIsCutIntoItsFrames() throws {
        #expect(try self.frames([Self.stream]) == Self.bodies)
        #expect(try self.frames(Self.stream.map { [$0] }) == Self.bodies)
        #expect(try self.frames([[], Self.stream, []]) == Self.bodies)
    }

    @Test func everyCutOfAStreamGivesTheSameFrames() throws {
        for cut in Self.stream.indices {
            #expect(
                try self.frames([Array(Self.stream[..<cut]), Array(Self.stream[cut...])]) == Self.bodies,
                "cut at \(cut)")
        }
    }

    @Test(arguments: UInt64(1)...20) func anyPiecesGiveTheSameFrames(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var rest = Self.stream[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            let count = Int.random(in: 0...40, using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        #expect(try self.frames(pieces) == Self.bodies)
    }

    @Test func bytesMayBeReceivedInPlace() throws {
        var decoder = FrameDecoder()
        var frames: [[UInt8]] = []
        var rest = Self.stream[...]
        while !rest.isEmpty {
            let count = decoder.receive { buffer in
                #expect(buffer.count == FrameDecoder.readByteCount)
                let piece = rest.prefix(37)
                buffer.copyBytes(from: piece)
                return piece.count
            }
            rest = rest.dropFirst(count)
            while let frame = try decoder.next({ Array($0) }) { frames.append(frame) }
        }
        #expect(frames == Self.bodies)
        // Nothing there, or an error of the kernel: nothing is kept.
        #expect(decoder.receive { _ in 0 } == 0)
        #expect(decoder.receive { _ in -1 } == -1)
        #expect(decoder.pendingByteCount == 0)
    }

    @Test(
        arguments: [
            ([0, 0, 0, 0], 0), ([0x80, 0, 0, 0], 2_147_483_648), ([0, 0x10, 0, 1], 1_048_577),
            ([255, 255, 255, 255], .max),
        ] as [([UInt8], UInt32)])
    func lengthsThatNoFrameHasAreRefusedAtOnce(head: [UInt8], length: UInt32) {
        var decoder = FrameDecoder()
        decoder.append(head)
        let error = #expect(throws: FrameError.self) { try decoder.next { _ in } }
        #expect(error == .badLength(length))
        #expect(error?.code == .badLength)
        #expect(error?.description.contains("1 to 1048576") == true)
    }

    @Test func theLargestFrameIsTaken() throws {
        let body = [UInt8](repeating: UInt8(ascii: " "), count: FrameDecoder.byteCountMax)
        var decoder = FrameDecoder()
        let bytes = Self.frame(body)
        decoder.append(bytes.dropLast())
        #expect(try decoder.next({ $0.count }) == nil)
        decoder.append([bytes.last!])
        #expect(try decoder.next({ $0.count }) == FrameDecoder.byteCountMax)
        #expect(try decoder.next({ $0.count }) == nil)
    }

    @Test func aDecoderMayTakeLessThanTheLargestFrame() throws {
        var decoder = FrameDecoder(byteCountMax: 300)
        decoder.append(Self.stream)
        for body in Self.bodies { #expect(try decoder.next({ Array($0) }) == body) }
        decoder.append([0, 0, 1, 45])
        let error = #expect(throws: FrameError.self) { try decoder.next { _ in } }
        #expect(error == .badLength(301, allowed: 300))
        #expect(error?.description.contains("1 to 300") == true)
    }

    @Test(arguments: [1_000, 64 << 10, 100_000, 300_000, FrameDecoder.byteCountMax])
    func aFrameInPartsTakesNoMoreMemoryThanItAndOneReadNeed(byteCount: Int) throws {
        let bytes = Self.frame([UInt8](repeating: 7, count: byteCount))
        for pieceByteCount in [1_000, 4_096, FrameDecoder.readByteCount] {
            var decoder = FrameDecoder()
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = decoder.receive { room in
                    let piece = rest.prefix(pieceByteCount)
                    room.copyBytes(from: piece)
                    return piece.count
                }
                rest = rest.dropFirst(count)
                #expect(decoder.heldByteCount <= bytes.count + FrameDecoder.readByteCount)
                if !rest.isEmpty { #expect(try decoder.next({ $0.count }) == nil) }
            }
            #expect(try decoder.next({ $0.count }) == byteCount)
        }
    }

    @Test func anIncompleteLengthWaits() throws {
        var decoder = FrameDecoder()
        for byte in [0, 0, 0] as [UInt8] {
            decoder.append([byte])
            #expect(try decoder.next({ $0.count }) == nil)
        }
        #expect(decoder.pendingByteCount == 3)
    }

    @Test func aFrameThatItsReaderRefusesIsPassed() throws {
        var decoder = FrameDecoder()
        decoder.append(Self.frame([1]) + Self.frame([2]))
        #expect(throws: FrameError.badVersion(9)) {
            try decoder.next { (_) throws(FrameError) in throw FrameError.badVersion(9) }
        }
        #expect(try decoder.next({ Array($0) }) == [2])
    }

    @Test(arguments: UInt64(1)...50) func nonsenseEndsInFramesOrARefusal(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var decoder = FrameDecoder()
        for _ in 0..<100 {
            decoder.append((0..<20).map { _ in UInt8.random(in: 0...2, using: &random) })
            do {
                while let count = try decoder.next({ $0.count }) {
                    #expect(count > 0 && count <= FrameDecoder.byteCountMax)
                }
            } catch { return }
        }
    }
}
