import DaemonKit
import Shared

/// A secret of the account, as far as this version goes: where it stands, and whether it could be used.
///
/// Paper trading needs none, so nothing is kept: what is read is checked for its form and wiped.
enum Credential: String, CaseIterable {
    case privateKey = "private_key"
    case apiCredentials = "api_credentials"

    typealias Problem = SecretFile.Problem
    typealias Keeper = SecretFile.Keeper

    /// Whether `bytes` have the secret's form; one line feed may follow.
    func checkForm(_ bytes: UnsafeBufferPointer<UInt8>) throws(Problem) {
        let text = UnsafeBufferPointer(rebasing: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...])
        switch self {
        case .privateKey:
            let digits = text.dropFirst(2)
            let isHex = digits.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
            guard text.count == 66, text.starts(with: "0x".utf8), isHex else {
                throw .malformed("it is not 0x and 64 hexadecimal digits")
            }
        case .apiCredentials:
            guard APICredentials.read(text) else {
                throw .malformed("it is no JSON object with the texts apiKey, secret and passphrase")
            }
        }
    }
}
