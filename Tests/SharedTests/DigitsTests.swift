import Shared
import Testing

/// Ids, hashes and decimals to and from text, digit by digit.
@Suite struct DigitsTests {
    @Test func everyByteInEveryPlaceOfAHashIsJudged() {
        let text = Array("0123456789abcdeffedcba98765432100a1b2c3d".utf8)
        for place in text.indices {
            for byte in UInt8.min ... .max {
                var changed = text
                changed[place] = byte
                let hash = changed.withUnsafeBufferPointer { BookHash(hex: $0) }
                let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
                #expect((hash != nil) == isDigit, "byte \(byte) in place \(place)")
                if isDigit { #expect(hash?.description == String(decoding: changed, as: UTF8.self)) }
            }
        }
    }

    @Test func everyByteInEveryPlaceOfAConditionIsJudged() {
        let text = Array("0x0123456789abcdefFEDCBA98765432100123456789abcdefFEDCBA9876543210".utf8)
        for place in text.indices.dropFirst(2) {
            for byte in UInt8.min ... .max {
                var changed = text
                changed[place] = byte
                let condition = changed.withUnsafeBufferPointer { ConditionID(hex: $0) }
                let isDigit = [0x30...0x39, 0x41...0x46, 0x61...0x66].contains { $0.contains(byte) }
                #expect((condition != nil) == isDigit, "byte \(byte) in place \(place)")
                if isDigit {
                    #expect(condition?.description == String(decoding: changed, as: UTF8.self).lowercased())
                }
            }
        }
    }

    @Test(arguments: [0, 1, 9, 10, 99, 999_999_999, 1_000_000_000, 10_000_000_000, UInt64.max])
    func tokensArePrintedAsTheyWereRead(word: UInt64) throws {
        for words in [(0, 0, 0, word), (0, 0, word, 0), (0, word, 0, 1), (word, 0, 0, 0), (word, word, word, word)] {
            let token = TokenID(words: words)
            #expect(TokenID(token.description) == token)
        }
    }

    @Test(arguments: [
        (0, "0"), (1, "0.000001"), (10, "0.00001"), (10_000, "0.01"), (120_000, "0.12"), (123_456, "0.123456"),
        (1_000_000, "1"), (10_500_000, "10.5"), (-2_500, "-0.0025"), (5_852_530_000, "5852.53"),
        (Int64.max, "9223372036854.775807"), (Int64.min, "-9223372036854.775808"),
    ])
    func millionthsAreWrittenWithoutZerosAtTheEnd(micros: Int64, text: String) {
        #expect(Decimal6.text(micros) == text)
    }

    /// Against a plain way of writing, digit by digit.
    @Test func everyPlaceOfADecimalIsWritten() {
        var random = SeededRandom(seed: 1)
        for round in 0..<20_000 {
            let places = UInt64(round % 18)
            let limit = (0..<places).reduce(UInt64(10)) { limit, _ in limit * 10 }
            let micros = Int64(random.next() % limit)
            var fraction = String(String(1_000_000 + micros % 1_000_000).dropFirst())
            while fraction.last == "0" { fraction.removeLast() }
            let whole = String(micros / 1_000_000)
            #expect(Decimal6.text(micros) == (fraction.isEmpty ? whole : "\(whole).\(fraction)"))
        }
        for hundredths in 0..<10_000 {
            let text = Decimal6.text(Int64(hundredths) * 10_000)
            #expect(Decimal6.parse(text) == Int64(hundredths) * 10_000)
        }
    }
}
