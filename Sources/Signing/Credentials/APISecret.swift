import COpenSSL
import Shared

/// The secret of an API key, with which requests are signed (L2). Never printed; wiped with its last copy. Source:
/// reference, 4.2.
public struct APISecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let key: SecretBytes

    /// Longest text that is believed to be a secret. The venue's have 44 characters.
    public static let characterCountMax = 256
    /// Characters of a signature: 32 bytes as base64.
    private static let signatureCharacterCount = 44

    /// Reads base64url, with or without its padding. `nil` for anything else, for nothing and for too much.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let secret = copy.withUTF8({ APISecret(base64URL: $0) }) else { return nil }
        self = secret
    }

    /// As `init(_:)`, for bytes.
    public init?(base64URL text: UnsafeBufferPointer<UInt8>) {
        guard !text.isEmpty, text.count <= Self.characterCountMax else { return nil }
        var byteCount = 0
        guard Base64URL.decode(text, write: { _ in byteCount += 1 }), byteCount > 0 else { return nil }
        self.key = SecretBytes(count: byteCount) { target in
            var index = 0
            _ = Base64URL.decode(text) { byte in
                target[index] = byte
                index += 1
            }
        }
    }

    /// The signature of a request: base64url with padding. `timestamp` is in seconds since 1970, `method` in upper case,
    /// `path` without its query, `body` the very bytes that are sent.
    public func sign(
        timestamp: Int64, method: String, path: String, body: some Collection<UInt8> = EmptyCollection<UInt8>()
    ) -> String {
        let time = String(timestamp)
        let byteCount = time.utf8.count + method.utf8.count + path.utf8.count + body.count
        return withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 1) { message in
            var rest = message
            func append(_ bytes: some Collection<UInt8>) {
                // A body copied element by element would cost as much as the digest.
                let isCopied: Void? = bytes.withContiguousStorageIfAvailable {
                    rest.copyMemory(from: UnsafeRawBufferPointer($0))
                }
                if isCopied == nil { rest.copyBytes(from: bytes) }
                rest = UnsafeMutableRawBufferPointer(rebasing: rest[bytes.count...])
            }
            append(time.utf8)
            append(method.utf8)
            append(path.utf8)
            append(body)
            return self.sign(UnsafeRawBufferPointer(message))
        }
    }

    func sign(_ message: UnsafeRawBufferPointer) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
            self.key.withBytes {
                copenssl_hmac_sha256($0, self.key.count, message.baseAddress, message.count, digest.baseAddress)
            }
            return Base64URL.encode(UnsafeRawBufferPointer(digest))
        }
    }

    /// The text that it was read from, but for its padding, for a peer that asks for it: the venue's channels do.
    public var text: String {
        self.key.withBytes { Base64URL.encode(UnsafeRawBufferPointer(start: $0, count: self.key.count)) }
    }

    /// Whether `signature` is that of the request, in a time that does not tell how much of it is right.
    public func verify(
        _ signature: String, timestamp: Int64, method: String, path: String,
        body: some Collection<UInt8> = EmptyCollection<UInt8>()
    ) -> Bool {
        let expected = self.sign(timestamp: timestamp, method: method, path: path, body: body)
        guard signature.utf8.count == Self.signatureCharacterCount else { return false }
        return zip(expected.utf8, signature.utf8).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }

    public var description: String { self.key.description }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
