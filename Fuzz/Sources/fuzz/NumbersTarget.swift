import Shared

/// What is read exactly is written exactly.
enum NumbersTarget {
    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        let text = String(decoding: input, as: UTF8.self)
        if let micros = Decimal6.parse(input) {
            check((0...Decimal6.valueMax).contains(micros), "\(micros) is out of bounds")
            check(Decimal6.parse(Decimal6.text(micros)) == micros, "\(text) is written as \(Decimal6.text(micros))")
            check(abs((Double(text) ?? -1) - Double(micros) / 1e6) < 1e-3, "\(text) was read as \(micros)")
        }
        if let token = TokenID(decimal: input) {
            check(TokenID(token.description) == token, "\(text) is written as \(token)")
            check(text.drop { $0 == "0" } == token.description.drop { $0 == "0" }, "\(text) was read as \(token)")
        }
        if let condition = ConditionID(hex: input) {
            check(condition.description == text.lowercased(), "\(text) is written as \(condition)")
        }
        if let hash = BookHash(hex: input) {
            check(hash.description == text.lowercased(), "\(text) is written as \(hash)")
        }
        if let time = Timestamp(rfc3339: text) {
            check(Timestamp(rfc3339: time.rfc3339) == time, "\(text) is written as \(time.rfc3339)")
        }
    }
}
