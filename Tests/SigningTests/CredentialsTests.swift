import Shared
import Testing

@testable import Signing

@Suite struct ClobAuthTests {
    @Test func aKnownLogInHasItsSignature() throws {
        let key = try PrivateKey(text: PrivateKeyTests.text)
        let auth = ClobAuth(address: key.address, timestamp: 1_790_000_000)
        #expect(auth.digest.description == "0x64e04c945e5c219dc8da1d43af759e6d138c29a88e7a37c77348340f6dbd9d34")
        #expect(
            key.sign(auth.digest).description
                == "0x131287b4c69ecd9feae81d310e724dea7c5d98c1d38f1d5fe4d2b730a33022fa"
                + "3bd648a56e1e3b8e51a49d8eb86b5201a8ee4b1de4ad356d47ef393c12d8a8c91c")
        var others = [ClobAuth](repeating: auth, count: 4)
        others[0].timestamp += 1
        others[1].nonce = 1
        others[2].chain = .amoy
        others[3].address = .zero
        #expect(Set(others.map(\.digest) + [auth.digest]).count == 5)
    }
}

@Suite struct APISecretTests {
    /// The venue's client tests itself with this.
    static let secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    static let signature = "ZwAdJKvoYRlEKDkNMwd5BuwNNtg93kNaR_oU2HrfVvc="
    static let body = #"{"hash": "0x123"}"#

    @Test func aKnownRequestHasItsSignature() throws {
        let secret = try #require(APISecret(Self.secret))
        #expect(
            secret.sign(timestamp: 1_000_000, method: "test-sign", path: "/orders", body: Self.body.utf8)
                == Self.signature)
        #expect(
            secret.verify(
                Self.signature, timestamp: 1_000_000, method: "test-sign", path: "/orders", body: Self.body.utf8))
    }

    /// The examples of RFC 4231 with a key of 20 bytes and one of 131, longer than the hash's block.
    @Test(arguments: [
        (20, 0x0B, "Hi There", "sDRMYdjbOFNcqK_OrwvxK4gdwgDJgz2nJuk3bC4yz_c="),
        (
            131, 0xAA, "Test Using Larger Than Block-Size Key - Hash Key First",
            "YOQxWR7gtn8Niiaqy_W3f44LxiE3KMUUBUYEDw7jf1Q="
        ),
    ])
    func theHashIsTheStandards(count: Int, byte: Int, text: String, signature: String) throws {
        let key = [UInt8](repeating: UInt8(byte), count: count)
        let secret = try #require(APISecret(key.withUnsafeBytes { Base64URL.encode($0) }))
        #expect(Array(text.utf8).withUnsafeBytes { secret.sign($0) } == signature)
    }

    @Test func whateverIsAlteredIsFoundOut() throws {
        let secret = try #require(APISecret("c2VjcmV0LXNoYXJlZC10ZXN0LXZlY3Rvci1rZXktMDE_-w=="))
        let time: Int64 = 1_790_000_000
        let good = secret.sign(timestamp: time, method: "GET", path: "/data/orders")
        #expect(good == "2VIu5O4mq57vHLu8Oa9zL5tXWzyMWEKmBX2t30eg9G0=")
        #expect(secret.verify(good, timestamp: time, method: "GET", path: "/data/orders"))
        #expect(!secret.verify(good, timestamp: time + 1, method: "GET", path: "/data/orders"))
        #expect(!secret.verify(good, timestamp: time, method: "get", path: "/data/orders"))
        #expect(!secret.verify(good, timestamp: time, method: "GET", path: "/data/order"))
        #expect(!secret.verify(good, timestamp: time, method: "GET", path: "/data/orders", body: "{}".utf8))
        for index in good.indices {
            var wrong = good
            wrong.replaceSubrange(index...index, with: good[index] == "A" ? "B" : "A")
            #expect(!secret.verify(wrong, timestamp: time, method: "GET", path: "/data/orders"))
        }
        for wrong in ["", String(good.dropLast()), good + "=", good + good] {
            #expect(!secret.verify(wrong, timestamp: time, method: "GET", path: "/data/orders"))
        }
    }

    @Test func aSecretMayLackItsPaddingAndUseEitherAlphabet() throws {
        let expected = try #require(APISecret("_-_-_w==")).sign(timestamp: 1, method: "GET", path: "/")
        for text in ["_-_-_w", "/+/+/w==", "/+_-_w"] {
            #expect(try #require(APISecret(text)).sign(timestamp: 1, method: "GET", path: "/") == expected)
        }
    }

    @Test(arguments: [
        "", "=", "==", "====", "A", "AAAAA", "A===", "AA=A", "AA A", "AAAA\n", "é===", "AAAA=", "_-_-_w=",
        String(repeating: "A", count: 257),
    ])
    func anythingElseIsNoSecret(text: String) { #expect(APISecret(text) == nil) }

    @Test func theLongestSecretIsOne() { #expect(APISecret(String(repeating: "A", count: 256)) != nil) }

    @Test func nothingThatIsPrintedShowsTheSecret() throws {
        let text = "c2VjcmV0LXNoYXJlZC10ZXN0LXZlY3Rvci1rZXktMDE_-w=="
        let secret = try #require(APISecret(text))
        var dumped = ""
        dump((secret, [secret]), to: &dumped)
        let printed = "\(secret) \([secret])" + String(reflecting: secret) + dumped
        #expect(!printed.contains("c2Vj") && !printed.contains("115"))
    }
}

@Suite struct Base64URLTests {
    @Test func textIsPaddedAndReadBack() {
        var random = SeededRandom(seed: 9)
        for count in 0...50 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            var text = bytes.withUnsafeBytes { Base64URL.encode($0) }
            #expect(text.utf8.count == (count + 2) / 3 * 4)
            var read: [UInt8] = []
            let isRead = text.withUTF8 { Base64URL.decode($0) { read.append($0) } }
            #expect(isRead)
            #expect(read == bytes)
        }
        let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map { Array($0.utf8) }
        #expect(
            texts.map { $0.withUnsafeBytes { Base64URL.encode($0) } } == [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
            ])
        #expect(([0xFB, 0xFF] as [UInt8]).withUnsafeBytes { Base64URL.encode($0) } == "-_8=")
    }
}
