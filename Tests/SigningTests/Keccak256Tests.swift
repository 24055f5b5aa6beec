import Shared
import Signing
import Testing

@Suite struct Keccak256Tests {
    @Test(arguments: [
        ("", "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        ("abc", "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ("transfer(address,uint256)", "0xa9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"),
    ])
    func knownTextsHaveKnownHashes(text: String, hash: String) {
        #expect(Keccak256.hash(text.utf8).description == hash)
    }

    @Test(.enabled(if: Vectors.areHere, Vectors.skipped))
    func hashesAreThoseOfTheVectors() throws {
        let vectors = try #require(try Vectors.read("keccak").array)
        #expect(vectors.count >= 20)
        for vector in vectors {
            #expect(Keccak256.hash(try bytes(try vector.text("input_hex"))) == (try vector.bytes32("keccak256")))
        }
    }

    /// Around one and two blocks, where mistakes live.
    @Test(arguments: Array(0...20) + Array(126...146) + Array(262...280))
    func itDoesNotMatterInWhichPiecesBytesCome(count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let whole = Keccak256.hash(bytes)
        // No contiguous storage: byte by byte.
        #expect(Keccak256.hash(bytes.lazy.map { $0 }) == whole)
        for cut in 0...count {
            var keccak = Keccak256()
            bytes[..<cut].withUnsafeBytes { keccak.absorb($0) }
            bytes[cut...].withUnsafeBytes { keccak.absorb($0) }
            #expect(keccak.digest() == whole, "cut at \(cut) of \(count)")
        }
    }

    @Test func aWordIsItsBytes() throws {
        let word = try #require(Bytes32("0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"))
        for lead in 0...8 {
            var keccak = Keccak256()
            for _ in 0..<lead { keccak.absorb(7 as UInt8) }
            keccak.absorb(word)
            let expected = Keccak256.hash([UInt8](repeating: 7, count: lead) + (try bytes(word.description)))
            #expect(keccak.digest() == expected)
        }
    }
}

@Suite struct Bytes32Tests {
    static let text = "0xa5c6d0c4cef71fe53c0235790b5568574343551fe67c62db39e9ebf3387b415a"

    @Test func theyAreReadInEitherCaseAndPrintedInLowerCase() throws {
        #expect(try #require(Bytes32(Self.text)).description == Self.text)
        #expect(try #require(Bytes32(Self.text.uppercased())).description == Self.text)
        #expect(Bytes32.zero.description == "0x" + String(repeating: "0", count: 64))
    }

    @Test(arguments: [
        "", "0x", String(text.dropFirst(2)), String(text.dropLast()), text + "0", "1x" + text.dropFirst(2),
        String(text.dropLast()) + "g", " " + text.dropLast(),
    ])
    func anythingElseIsRefused(text: String) { #expect(Bytes32(text) == nil) }

    @Test func theyAreOrderedAsNumbers() {
        let values = [
            Bytes32.zero, Bytes32(words: (0, 0, 0, 1)), Bytes32(words: (0, 0, 1, 0)), Bytes32(words: (1, 0, 0, 0)),
        ]
        #expect(values.reversed().sorted() == values)
    }
}
