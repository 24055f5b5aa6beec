import Glibc
import Shared

/// A secret of the account, as far as this version goes: where it stands, and whether it could be used.
///
/// Paper trading needs none, so nothing is kept: what is read is checked for its form and wiped.
enum Credential: String, CaseIterable {
    case privateKey = "private_key"
    case apiCredentials = "api_credentials"

    /// Longest secret, in bytes.
    static let byteCountMax = 4_096

    /// Why one that is there cannot be used. Says nothing of what it holds.
    enum Problem: Error, Hashable {
        case unreadable(String)
        case tooOpen(String)
        case malformed(String)

        /// For a status line.
        var word: String {
            switch self {
            case .unreadable: "unreadable"
            case .tooOpen: "too open"
            case .malformed: "malformed"
            }
        }

        var reason: String {
            switch self {
            case .unreadable(let reason), .tooOpen(let reason), .malformed(let reason): reason
            }
        }
    }

    /// Who may read the file.
    enum Keeper {
        /// The service manager's directory: it gives the group what the service needs.
        case manager
        /// A file of the user's own: for this user alone.
        case user
    }

    /// Looks at a file.
    ///
    /// - Returns: false when it does not exist.
    func check(file path: String, keptBy keeper: Keeper) throws(Problem) -> Bool {
        // Not blocking: a pipe of that name must not hold the start up.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw .unreadable("it cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable("it is not a regular file")
        }
        try Self.checkAccess(status, keeper)
        guard status.st_size <= Self.byteCountMax else {
            throw .malformed("it has more than \(Self.byteCountMax) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Self.byteCountMax + 1)
        defer { Self.wipe(&bytes) }
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .unreadable("it cannot be read: \(String(cString: strerror(errno)))") }
        guard count <= Self.byteCountMax else { throw .malformed("it has more than \(Self.byteCountMax) bytes") }
        try bytes.withUnsafeBufferPointer { (bytes) throws(Problem) in
            try self.checkForm(UnsafeBufferPointer(rebasing: bytes[..<count]))
        }
        return true
    }

    /// Whether a file of the user's own is for this user alone.
    static func checkAccess(file path: String) throws(Problem) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .unreadable("it is gone") }
        try self.checkAccess(status, .user)
    }

    private static func checkAccess(_ status: stat, _ keeper: Keeper) throws(Problem) {
        let mode = "0" + String(status.st_mode & 0o777, radix: 8)
        switch keeper {
        case .manager:
            guard status.st_mode & 0o007 == 0 else { throw .tooOpen("everybody may use it: its mode is \(mode)") }
        case .user:
            guard status.st_uid == geteuid() else { throw .tooOpen("it belongs to another user") }
            guard status.st_mode & 0o077 == 0 else { throw .tooOpen("its mode is \(mode) and must be 0600") }
        }
    }

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
            guard Self.hasCredentials(text) else {
                throw .malformed("it is no JSON object with the texts apiKey, secret and passphrase")
            }
        }
    }

    /// Read in place: no copy of the texts is made.
    private static func hasCredentials(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var found: Set<String> = []
        let isRead: Void? = try? JSONReader.read(text) { (reader) throws(JSONError) in
            try reader.object { (key, reader) throws(JSONError) in
                guard key == "apiKey" || key == "secret" || key == "passphrase" else { return try reader.skip() }
                if try !reader.string().bytes.isEmpty { found.insert(key.string) }
            }
        }
        return isRead != nil && found.count == 3
    }

    private static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) }
    }
}
