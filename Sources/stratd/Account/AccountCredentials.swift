import DaemonKit
import Glibc
import Shared
import Signing

/// What the venue gave to an account's key, for all requests after the first. Never printed. Source: reference, 2.2.
struct AccountCredentials: Sendable, CustomStringConvertible, CustomReflectable {
    /// Longest key and passphrase, in bytes; real ones have 36 and 64.
    private static let textByteCountMax = 256

    let key: String
    let secret: APISecret
    let passphrase: String

    /// Reads a JSON object with the texts `apiKey`, `secret` and `passphrase`, as the venue answers and as it is kept.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        var key: String?
        var secret: APISecret?
        var passphrase: String?
        let isComplete = APICredentials.read(text) { name, value in
            switch "\(name)" {
            case "apiKey": key = value.string
            case "secret": secret = APISecret(base64URL: value.bytes)
            default: passphrase = value.string
            }
        }
        guard isComplete, let key, let secret, let passphrase, [key, passphrase].allSatisfy(Self.isHeaderValue) else {
            return nil
        }
        self.key = key
        self.secret = secret
        self.passphrase = passphrase
    }

    private static func isHeaderValue(_ text: String) -> Bool {
        (1...Self.textByteCountMax).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// As the venue's channels want them.
    func write(to writer: inout JSONWriter) {
        writer.object {
            for (name, value) in [("apiKey", self.key), ("secret", self.secret.text), ("passphrase", self.passphrase)] {
                $0.key(dynamic: name)
                $0.string(value)
            }
        }
    }

    var description: String { "(credentials)" }
    var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// Where the credentials of an account are kept between runs: a file for this user alone, of the venue's own words.
struct CredentialStore {
    let path: String

    /// - Parameter owner: each key has a file of its own.
    init(directory: String, owner: Address) { self.path = "\(directory)/credentials-\(owner).json" }

    /// - Returns: `nil` when nothing is kept.
    func read() throws(SecretFile.Problem) -> AccountCredentials? {
        var credentials: AccountCredentials?
        _ = try SecretFile.read(self.path, keptBy: .user) { (text) throws(SecretFile.Problem) in
            credentials = AccountCredentials(text)
            guard credentials != nil else { throw .malformed("it holds no credentials") }
        }
        return credentials
    }

    /// Puts what the venue answered in the place of what is kept, whole or not at all.
    func write(_ text: [UInt8]) throws(SystemError) {
        let new = self.path + ".new"
        unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open \(new)") }
        defer { close(descriptor) }
        let count = text.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == text.count, fsync(descriptor) == 0, rename(new, self.path) == 0 else {
            let error = SystemError("write \(new)")
            unlink(new)
            throw error
        }
    }
}
