import Glibc
import Shared
import Testing

@testable import Compression

/// Files of blocks, whole ones and others.
@Suite struct RecordedBlocksTests {
    /// Texts of three blocks, and the file that they make.
    private static func blocks() -> (texts: [[UInt8]], blocks: [[UInt8]]) {
        var random = SeededRandom(seed: 5)
        let texts = [400, 70_000, 90].map { count in
            (0..<count).map { _ in UInt8.random(in: 65...70, using: &random) } + [UInt8(ascii: "\n")]
        }
        let writer = GzipBlocks()
        return (texts, texts.map { $0.withUnsafeBufferPointer { writer.block(of: $0) } })
    }

    /// What can be read of a file, and the problems between; `nil` for a file of somebody else's.
    private static func read(_ bytes: [UInt8]) throws -> (texts: [[UInt8]], problems: [RecordedFile.Problem])? {
        var template = Array("/tmp/polybot-blocks-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        defer {
            close(descriptor)
            unlink(path)
        }
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        guard let file = try RecordedBlocks(path) else { return nil }
        var (texts, problems): ([[UInt8]], [RecordedFile.Problem]) = ([], [])
        var text: [UInt8] = []
        while problems.count < 10 {
            do throws(RecordedFile.Problem) {
                guard try file.next(&text) else { return (texts, problems) }
                texts.append(text)
            } catch { problems.append(error) }
        }
        return (texts, problems)
    }

    @Test func wholeBlocksAreReadAsTheyWereWritten() throws {
        let (texts, blocks) = Self.blocks()
        let read = try #require(try Self.read(blocks.flatMap { $0 }))
        #expect(read.texts == texts && read.problems.isEmpty)
    }

    @Test func aDamagedBlockCostsItselfAlone() throws {
        let (texts, blocks) = Self.blocks()
        var random = SeededRandom(seed: 9)
        for _ in 0..<200 {
            var damaged = blocks
            // Behind the header, whose length the next block is found by.
            let place = Int.random(in: GzipBlocks.headByteCount..<blocks[1].count, using: &random)
            damaged[1][place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            let read = try #require(try Self.read(damaged.flatMap { $0 }))
            #expect(read.texts == [texts[0], texts[2]], "byte \(place)")
            #expect(read.problems == [.compression(.damaged)], "byte \(place)")
        }
    }

    @Test func whereverItIsCutTheWholeBlocksAreRead() throws {
        let (texts, blocks) = Self.blocks()
        let bytes = blocks.flatMap { $0 }
        let ends = [blocks[0].count, blocks[0].count + blocks[1].count, bytes.count]
        for cut in stride(from: GzipBlocks.headByteCount, to: bytes.count, by: 97) {
            let read = try #require(try Self.read(Array(bytes[..<cut])))
            let wholeCount = ends.count { $0 <= cut }
            #expect(read.texts == Array(texts[..<wholeCount]), "cut at \(cut)")
            #expect(read.problems == (ends.contains(cut) ? [] : [.compression(.torn)]), "cut at \(cut)")
        }
    }

    @Test func whatSomebodyElseWroteIsNotTakenForBlocks() throws {
        let (texts, blocks) = Self.blocks()
        #expect(try Self.read([]) == nil)
        #expect(try Self.read(Array("{\"f\":1}\n".utf8)) == nil)
        #expect(try Self.read([0x1f, 0x8b, 8, 0] + blocks[0].dropFirst(4)) == nil)
        // Behind our own there is no way on.
        let read = try #require(try Self.read(blocks[0] + Array("something else, and much of it".utf8) + blocks[2]))
        #expect(read.texts == [texts[0]] && read.problems == [.compression(.damaged)])
        // A header that promises more than anybody writes asks for no memory.
        var huge = blocks[0]
        huge.replaceSubrange(16..<20, with: [255, 255, 255, 127])
        #expect(try #require(try Self.read(huge)).problems == [.compression(.damaged)])
        // Nor does a length of the text that no block has.
        var long = blocks[0]
        long.replaceSubrange(long.count - 4..<long.count, with: [255, 255, 255, 255])
        #expect(try #require(try Self.read(long)).problems == [.compression(.damaged)])
    }
}
