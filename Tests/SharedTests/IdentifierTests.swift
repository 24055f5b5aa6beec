import Shared
import Testing

@Suite struct TokenIDTests {
    /// 2²⁵⁶ − 1, the largest there is.
    static let largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

    @Test(arguments: [
        "0", "1", "9", "18446744073709551615", "18446744073709551616", "9999999999999999999", "10000000000000000000",
        "340282366920938463463374607431768211456",
        "48418917734180607831833027288777571190488909295977497623601373906809754084036",
        largest,
    ])
    func decimalTextGoesInAndOut(text: String) throws {
        #expect(try #require(TokenID(text)).description == text)
    }

    @Test(arguments: [
        "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "00", "01", "١٢",
        // 2²⁵⁶, what follows it, the largest with as many digits, one digit more.
        "115792089237316195423570985008687907853269984665640564039457584007913129639936",
        "115792089237316195423570985008687907853269984665640564039457584007913129639937",
        "999999999999999999999999999999999999999999999999999999999999999999999999999999",
        "1157920892373161954235709850086879078532699846656405640394575840079131296399350",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(TokenID(text) == nil)
    }

    @Test func everyWordOfItCounts() throws {
        #expect(TokenID("18446744073709551616") == TokenID(words: (0, 0, 1, 0)))
        #expect(TokenID(Self.largest) == TokenID(words: (.max, .max, .max, .max)))
        #expect(TokenID(words: (1, 0, 0, 0)) != TokenID(words: (0, 0, 0, 1)))
        #expect(TokenID(words: (0, .max, .max, .max)) < TokenID(words: (1, 0, 0, 0)))
        var random = SeededRandom(seed: 3)
        for _ in 0..<2_000 {
            let token = TokenID(words: (random.next(), random.next(), random.next(), random.next()))
            #expect(TokenID(token.description) == token)
        }
    }

    @Test func theOrderIsThatOfTheNumbers() throws {
        let texts = ["2", "10", "18446744073709551616", Self.largest]
        let tokens = try texts.map { try #require(TokenID($0)) }
        #expect(tokens.reversed().sorted() == tokens)
    }
}

@Suite struct ConditionIDTests {
    static let text = "0xa5c6d0c4cef71fe53c0235790b5568574343551fe67c62db39e9ebf3387b415a"

    @Test func itIsPrintedInLowerCaseWithAllItsDigits() throws {
        #expect(try #require(ConditionID(Self.text)).description == Self.text)
        #expect(try #require(ConditionID(Self.text.uppercased())).description == Self.text)
        let small = "0x" + String(repeating: "0", count: 63) + "1"
        #expect(try #require(ConditionID(small)).description == small)
        #expect(ConditionID(small) == ConditionID(words: (0, 0, 0, 1)))
    }

    @Test func anythingElseIsRefused() {
        #expect(ConditionID("") == nil)
        #expect(ConditionID(Self.text.dropLast()) == nil)
        #expect(ConditionID(Self.text + "0") == nil)
        #expect(ConditionID(Self.text.dropFirst(2)) == nil)
        #expect(ConditionID("1x" + Self.text.dropFirst(2)) == nil)
        for position in 2..<66 {
            for wrong in ["g", "/", ":", "@", "`", "G", " "] {
                let start = Self.text.index(Self.text.startIndex, offsetBy: position)
                let text = Self.text.replacingCharacters(at: start, with: wrong)
                #expect(ConditionID(text) == nil, "\(wrong) at \(position)")
            }
        }
    }

    @Test func idsAreComparedAsNumbers() {
        #expect(ConditionID(words: (0, 0, 0, .max)) < ConditionID(words: (0, 0, 1, 0)))
        #expect(ConditionID(words: (0, 0, 0, 1)) != ConditionID(words: (1, 0, 0, 1)))
    }
}

extension String {
    /// A copy with one character replaced.
    fileprivate func replacingCharacters(at index: Index, with text: String) -> String {
        String(self[..<index]) + text + String(self[self.index(after: index)...])
    }
}
