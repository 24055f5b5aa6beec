import Glibc
import Shared
import Signing
import Testing

/// Results of the venue's own clients. They stand in `../shared` beside the repository and are not part of it.
enum Vectors {
    private static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/") + "/../shared/vectors"
    static let areHere = access("\(Self.folder)/orders_v2.json", R_OK) == 0
    /// For `.enabled(if:)`.
    static let skipped: Comment = "the vectors in ../shared are not here, so nothing is compared with them"

    /// The member `vectors` of the file.
    static func read(_ name: String) throws -> JSONValue { try #require(try Self.file(name)["vectors"]) }
    static func file(_ name: String) throws -> JSONValue {
        let path = "\(Self.folder)/\(name).json"
        let file = try #require(fopen(path, "r"), "cannot open \(path)")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return try JSONValue(parsing: bytes)
    }
}

extension JSONValue {
    func text(_ key: String) throws -> String { try #require(self[key]?.string, "no \(key)") }
    func bytes32(_ key: String) throws -> Bytes32 { try #require(Bytes32(try self.text(key)), "no \(key)") }
    func address(_ key: String) throws -> Address { try #require(Address(try self.text(key)), "no \(key)") }
    func key(_ key: String) throws -> PrivateKey { try PrivateKey(text: try self.text(key)) }
    func unsigned(_ key: String) throws -> UInt64 { try #require(self[key]?.integer.flatMap(UInt64.init(exactly:))) }
    func flag(_ key: String) throws -> Bool { try #require(self[key]?.bool as Bool?, "no \(key)") }
    func chain(_ key: String) throws -> Chain { try #require(Chain(rawValue: try self.unsigned(key))) }
}

extension PrivateKey {
    init(text: String) throws {
        var copy = text
        self = try #require(copy.withUTF8 { PrivateKey(hex: $0) })
    }

    /// Known to everybody.
    static func test(_ number: UInt64 = 1) throws -> PrivateKey {
        try PrivateKey(text: Bytes32(words: (0, 0, 0, number)).description)
    }
}

/// `text`, which is 0x and hex digits, with one bit turned over.
func altered(_ text: String, bit: Int) throws -> String {
    var bytes = Array(text.utf8)
    let place = 2 + bit / 4
    let value = try #require(Int(String(decoding: [bytes[place]], as: UTF8.self), radix: 16)) ^ (1 << (3 - bit % 4))
    bytes[place] = try #require(String(value, radix: 16).utf8.first)
    return String(decoding: bytes, as: UTF8.self)
}

/// The bytes of 0x and hex digits.
func bytes(_ hex: String) throws -> [UInt8] {
    let digits = Array(hex.utf8.dropFirst(2))
    return try stride(from: 0, to: digits.count, by: 2).map {
        try #require(UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16))
    }
}
