import Glibc
import Shared
import Testing

@testable import Signing

@Suite struct PrivateKeyTests {
    static let text = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    static let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    /// The order of the curve, as words.
    private static let order: (UInt64, UInt64, UInt64, UInt64) = (
        0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFE, 0xBAAE_DCE6_AF48_A03B, 0xBFD2_5E8C_D036_4141
    )

    private static func key(_ text: String) -> PrivateKey? {
        var copy = text
        return copy.withUTF8 { PrivateKey(hex: $0) }
    }

    @Test func aKeyIsReadWithAndWithoutItsPrefix() throws {
        #expect(try #require(Self.key(Self.text)).address.description == Self.address)
        #expect(try #require(Self.key(String(Self.text.dropFirst(2)))).address.description == Self.address)
        #expect(try #require(Self.key(Self.text.uppercased())).address.description == Self.address)
        let copied = try bytes(Self.text).withUnsafeBytes { PrivateKey(bytes: $0) }
        #expect(try #require(copied).address.description == Self.address)
    }

    @Test(arguments: [
        "", "0x", "0x1", String(text.dropLast()), text + "0", text + "\n", String(text.dropLast()) + "g",
        "1x" + text.dropFirst(2), Bytes32.zero.description, Bytes32(words: order).description,
        "0x" + String(repeating: "f", count: 64),
    ])
    func anythingElseIsRefused(text: String) {
        #expect(Self.key(text) == nil)
    }

    @Test func theLargestAndTheSmallestKeyAreKeys() throws {
        var words = Self.order
        words.3 -= 1
        let largest = try #require(Self.key(Bytes32(words: words).description))
        #expect(try PrivateKey.test(1).address.description == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")
        #expect(largest.address != (try PrivateKey.test(1).address))
        #expect(largest.sign(.zero).signer(of: .zero) == largest.address)
        let tooMany = [UInt8](repeating: 1, count: 33)
        #expect(tooMany.withUnsafeBytes { PrivateKey(bytes: $0) } == nil)
        #expect(tooMany[..<31].withUnsafeBytes { PrivateKey(bytes: $0) } == nil)
    }

    @Test func nothingThatIsPrintedShowsTheKey() throws {
        let key = try #require(Self.key(Self.text))
        var dumped = ""
        dump((key, [key], Optional(key)), to: &dumped)
        let reflected = String(reflecting: key) + String(describing: Optional(key)) + "\(key) \([key])"
        for text in [dumped, reflected] {
            #expect(text.contains(Self.address))
            // Neither as digits nor as bytes.
            #expect(!text.lowercased().contains("ac0974be"))
            #expect(!text.contains("172"))
        }
    }

    @Test func signingIsRepeatable() throws {
        let key = try #require(Self.key(Self.text))
        let digest = Keccak256.hash("hello".utf8)
        #expect(key.sign(digest) == key.sign(digest))
        #expect(key.sign(digest) != key.sign(Keccak256.hash("hellp".utf8)))
    }
}

@Suite struct SignatureTests {
    /// Of the digest below, by the key 1.
    static let text =
        "0x8a7c55b98e412d0b9f260cccb3e6ef6f0a89a28709e48d3342d834ffe3d25d93"
        + "1eb30c7ef3c55dee2c11d080169d680d80e64899a37be88212fe3bd4272a43ba1b"
    static let digest = "0xaeb9765dd5cdd4bc09bc9968907d9b65a9390e2e2b874a29ca8333268f807e8e"

    @Test func aSignatureIsReadAndPrinted() throws {
        let signature = try #require(Signature(Self.text))
        #expect(signature.description == Self.text)
        #expect(signature.v == 27)
        #expect(Signature(Self.text.uppercased()) == signature)
        for wrong in ["", "0x", String(Self.text.dropLast()), Self.text + "0", String(Self.text.dropLast()) + "g"] {
            #expect(Signature(wrong) == nil)
        }
    }

    @Test func everyAlteredBitMakesItAnothersOrNobodys() throws {
        let digest = try #require(Bytes32(Self.digest))
        let owner = try PrivateKey.test(1).address
        #expect(try #require(Signature(Self.text)).signer(of: digest) == owner)
        for bit in 0..<520 {
            let wrong = try #require(Signature(try altered(Self.text, bit: bit)))
            #expect(wrong.signer(of: digest) != owner, "bit \(bit)")
        }
        for bit in 0..<256 {
            let wrong = try #require(Bytes32(try altered(Self.digest, bit: bit)))
            #expect(try #require(Signature(Self.text)).signer(of: wrong) != owner, "bit \(bit) of the digest")
        }
    }

    /// `s` and the order less `s` are both right to the mathematics; only the lower one is a signature here.
    @Test func theHigherOfTheTwoIsRefused() throws {
        let digest = try #require(Bytes32(Self.digest))
        let signature = try #require(Signature(Self.text))
        let order = try #require(Bytes32("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"))
        let turned = Signature(r: signature.r, s: Self.difference(order, signature.s), v: 28)
        #expect(turned.s > signature.s)
        #expect(turned.signer(of: digest) == nil)
        // The limit itself, which is half the order rounded down, is not refused for being high.
        let half = try #require(Bytes32("0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"))
        let above = try #require(Bytes32("0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1"))
        #expect(Signature(r: signature.r, s: half, v: 27).signer(of: digest) != nil)
        #expect(Signature(r: signature.r, s: above, v: 27).signer(of: digest) == nil)
    }

    @Test func numbersOutOfRangeAreNobodys() throws {
        let digest = try #require(Bytes32(Self.digest))
        let good = try #require(Signature(Self.text))
        let order = try #require(Bytes32("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"))
        #expect(Signature(r: .zero, s: good.s, v: 27).signer(of: digest) == nil)
        #expect(Signature(r: good.r, s: .zero, v: 27).signer(of: digest) == nil)
        #expect(Signature(r: .zero, s: .zero, v: 27).signer(of: digest) == nil)
        #expect(Signature(r: order, s: good.s, v: 27).signer(of: digest) == nil)
        #expect(Signature(r: good.r, s: order, v: 27).signer(of: digest) == nil)
        // No point of the curve has this first coordinate.
        #expect(Signature(r: Bytes32(words: (0, 0, 0, 5)), s: good.s, v: 27).signer(of: digest) == nil)
    }

    @Test(arguments: [0, 1, 2, 26, 29, 30, 35, 255] as [UInt8])
    func vIsTwentySevenOrTwentyEight(v: UInt8) throws {
        let good = try #require(Signature(Self.text))
        #expect(Signature(r: good.r, s: good.s, v: v).signer(of: try #require(Bytes32(Self.digest))) == nil)
    }

    /// What anybody signs is theirs.
    @Test func signaturesLeadBackToTheirKeys() throws {
        var random = SeededRandom(seed: 11)
        for number in 1...40 as ClosedRange<UInt64> {
            let key = try PrivateKey.test(number)
            let digest = Bytes32(words: (random.next(), random.next(), random.next(), random.next()))
            let signature = key.sign(digest)
            #expect(signature.signer(of: digest) == key.address)
            #expect(Signature(signature.description) == signature)
        }
    }

    private static func difference(_ a: Bytes32, _ b: Bytes32) -> Bytes32 {
        var borrow: UInt64 = 0
        func less(_ x: UInt64, _ y: UInt64) -> UInt64 {
            let (first, under) = x.subtractingReportingOverflow(y)
            let (second, underAgain) = first.subtractingReportingOverflow(borrow)
            borrow = under || underAgain ? 1 : 0
            return second
        }
        let fourth = less(a.words.3, b.words.3)
        let third = less(a.words.2, b.words.2)
        let second = less(a.words.1, b.words.1)
        return Bytes32(words: (less(a.words.0, b.words.0), second, third, fourth))
    }

    /// What the system says of the page of a key: locked, left out of dumps, wiped in children.
    @Test func aKeyHasALockedPageOfItsOwn() throws {
        let secret = SecretBytes(count: 32, in: .page) { for index in 0..<32 { $0[index] = UInt8(index) } }
        let address = secret.withBytes { UInt(bitPattern: $0) }
        #expect(address % UInt(sysconf(Int32(_SC_PAGESIZE))) == 0)
        let flags = try #require(Self.flags(of: address))
        // A machine that lets nobody lock memory is none of ours to change; a sanitizer says that it did, and does not.
        let other = SecretBytes(count: 32, in: .page) { _ in }
        let isLocked = other.withBytes { mlock($0, 32) } == 0
        let otherFlags = try #require(Self.flags(of: other.withBytes { UInt(bitPattern: $0) }))
        let mayLock = isLocked && otherFlags.contains("lo")
        #expect(flags.contains("lo") || !mayLock, "\(flags)")
        #expect(flags.contains("dd") && flags.contains("wf"), "\(flags)")
        #expect(secret.withBytes { $0[31] } == 31)
    }

    /// The flags that the kernel tells of the mapping at an address.
    private static func flags(of address: UInt) -> [Substring]? {
        guard let file = fopen("/proc/self/smaps", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4_096)
        var isWanted = false
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let ends = text.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            // Neighbours of the same kind are told of as one.
            if ends.count == 2 { isWanted = ends[0] <= address && address < ends[1] }
            if isWanted, text.hasPrefix("VmFlags:") { return text.dropFirst(8).split { $0 == " " || $0 == "\n" } }
        }
        return nil
    }
}
