import Compression
import Glibc
import Shared
import Testing

/// Files of blocks, whole, cut, damaged and of others.
@Suite struct RecordedFileTests {
    private static func block(_ text: String) -> [UInt8] {
        Array(text.utf8).withUnsafeBufferPointer { GzipBlocks().block(of: $0) }
    }

    /// What is read of a file with these bytes, and what was wrong with it.
    private static func lines(_ bytes: [UInt8]) throws -> (lines: [String], problem: RecordedFile.Problem?) {
        var template = Array("/tmp/polybot-recorded-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        defer {
            close(descriptor)
            unlink(path)
        }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            try #require(count > 0)
            written += count
        }
        var lines: [String] = []
        do throws(RecordedFile.Problem) {
            let file = try RecordedFile(path)
            while let line = try file.nextLine({ String(decoding: $0, as: UTF8.self) }) { lines.append(line) }
            return (lines, nil)
        } catch { return (lines, error) }
    }

    @Test func blocksAfterOneAnotherAreOneText() throws {
        let texts = ["one\ntwo\n", "three\n", String(repeating: "x", count: 300_000) + "\n", "four\n"]
        let compressed = try Self.lines(texts.flatMap(Self.block))
        let plain = try Self.lines(texts.flatMap { Array($0.utf8) })
        #expect(compressed.problem == nil && plain.problem == nil)
        #expect(compressed.lines == plain.lines && plain.lines.count == 5 && plain.lines[4] == "four")
        #expect(try Self.lines([]).lines.isEmpty)
        #expect(try Self.lines(Self.block("")).lines.isEmpty)
        #expect(try Self.lines(Array("no newline".utf8)).lines.isEmpty)
    }

    @Test func aBlockSaysHowLongItIs() {
        let block = Self.block("one\n")
        #expect(GzipBlocks.head(block.prefix(GzipBlocks.headByteCount)) == .block(byteCount: block.count))
        for count in 0..<GzipBlocks.headByteCount { #expect(GzipBlocks.head(block.prefix(count)) == .cut) }
        #expect(GzipBlocks.head(Array("{\"f\":0,\"recv_ms\":1790000".utf8)) == .foreign)
        #expect(GzipBlocks.head([UInt8](repeating: 0, count: 20)) == .foreign)
    }

    @Test func aFileThatEndsAnywhereGivesAllWholeBlocks() throws {
        let whole = Self.block("one\ntwo\n")
        let torn = Self.block((0..<40).map { "line \($0)\n" }.joined())
        for count in 1..<torn.count {
            let (lines, problem) = try Self.lines(whole + torn[..<count])
            #expect(lines.starts(with: ["one", "two"]), "\(count)")
            #expect(lines.dropFirst(2).elementsEqual((0..<lines.count - 2).map { "line \($0)" }), "\(count)")
            #expect(problem == .compression(.torn), "\(count)")
        }
    }

    @Test func aDamagedFileIsAnErrorAndNeverACrash() throws {
        var random = SeededRandom(seed: 7)
        let blocks = (0..<3).flatMap { block in Self.block((0..<99).map { "\(block) \($0)\n" }.joined()) }
        for _ in 0..<300 {
            var bytes = blocks
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 2..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            let (lines, problem) = try Self.lines(bytes)
            // Bytes of the header that nobody reads may change.
            if problem == nil { #expect(lines.count == 297) }
        }
        #expect(try Self.lines(blocks + [0, 0, 0]).problem == .compression(.damaged))
        #expect(try Self.lines([0x1f, 0x8b]).problem == .compression(.torn))
    }

    @Test func aBombIsBoundedByTheLongestLine() throws {
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 4 * RecordedFile.lineByteCountMax)
        let bomb = bytes.withUnsafeBufferPointer { GzipBlocks().block(of: $0) }
        #expect(bomb.count < bytes.count / 100)
        let (lines, problem) = try Self.lines(Self.block("one\n") + bomb)
        #expect(lines == ["one"] && problem == .lineTooLong)
    }
}
