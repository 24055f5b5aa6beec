import Shared
import Signing

/// A parameter of a fault: its bounds, and what it is when it is left out.
struct FaultParameter: Sendable {
    enum Bounds: Sendable {
        case whole(ClosedRange<Int64>)
        case choice([String])
        case flag
        /// The path of a request, from "/".
        case path
        /// A market's condition id or slug, or one of its tokens.
        case market
        /// The hash of an order.
        case order
        /// Of an account.
        case address
    }

    enum Value: Hashable, Sendable {
        case whole(Int64)
        case text(String)
        case flag(Bool)
    }

    /// Bytes of a path or of a market's name.
    static let textByteCountMax = 256

    let name: String
    let bounds: Bounds
    let fallback: Value?
    let isRequired: Bool

    init(_ name: String, _ bounds: Bounds, default fallback: Value? = nil, isRequired: Bool = false) {
        self.name = name
        self.bounds = bounds
        self.fallback = fallback
        self.isRequired = isRequired
    }

    /// Reads a given value.
    func read(_ value: JSONValue, of fault: String) throws(FaultProblem) -> Value {
        switch (self.bounds, value) {
        case (.whole(let range), .number(let text)):
            if let number = Int64(text), range.contains(number) { return .whole(number) }
        case (.choice(let words), .string(let word)): if words.contains(word) { return .text(word) }
        case (.flag, .bool(let flag)): return .flag(flag)
        case (.path, .string(let path)):
            if path.hasPrefix("/"), path.utf8.count <= Self.textByteCountMax { return .text(path) }
        case (.market, .string(let name)):
            if !name.isEmpty, name.utf8.count <= Self.textByteCountMax { return .text(name) }
        case (.order, .string(let hash)): if OrderHash(hash) != nil { return .text(hash) }
        case (.address, .string(let address)): if Address(address) != nil { return .text(address) }
        case (.whole, _), (.choice, _), (.flag, _), (.path, _), (.market, _), (.order, _), (.address, _): break
        }
        throw FaultProblem("\(self.name) of \(fault) must be \(self.bounds.text)")
    }

    /// "seconds: a whole number from 0 to 3600; 5".
    var text: String {
        let rest = self.isRequired ? "; required" : self.fallback.map { "; default \($0.text)" } ?? ""
        return "\(self.name): \(self.bounds.text)\(rest)"
    }
}

extension FaultParameter.Bounds {
    var text: String {
        switch self {
        case .whole(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        case .flag: "true or false"
        case .path: "a path from \"/\" on, with all below it"
        case .market: "a condition id, slug or token"
        case .order: "an order's hash"
        case .address: "an address, 0x and 40 hex digits"
        }
    }
}

extension FaultParameter.Value {
    var text: String {
        switch self {
        case .whole(let number): "\(number)"
        case .text(let text): "\"\(text)\""
        case .flag(let flag): "\(flag)"
        }
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .whole(let number): writer.integer(number)
        case .text(let text): writer.string(text)
        case .flag(let flag): writer.bool(flag)
        }
    }
}

/// Why a fault cannot be had. Nothing has changed then.
struct FaultProblem: Error, Hashable, Sendable {
    let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}
