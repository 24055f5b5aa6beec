import Shared
import Testing

@Suite struct JSONReaderTests {
    private func read<Value>(
        _ text: String, _ body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        let bytes = Array(text.utf8)
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in try JSONReader.read(buffer, body) }
        }
        return try result.get()
    }

    private func refusal(_ bytes: [UInt8]) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONValue(parsing: bytes)
            return nil
        } catch { return error }
    }
    private func refusal(_ text: String) -> JSONError? { self.refusal(Array(text.utf8)) }

    // MARK: The grammar

    @Test func everyKindOfValueIsRead() throws {
        let text = #" { "n" : null , "t":true,"f":false, "i":-12, "d":0.5e+3, "s":"x", "a":[ ], "o":{ } } "#
        #expect(
            try JSONValue(text: text)
                == .object([
                    "n": .null, "t": .bool(true), "f": .bool(false), "i": .number("-12"), "d": .number("0.5e+3"),
                    "s": .string("x"), "a": .array([]), "o": .object([:]),
                ]))
    }

    @Test(
        arguments: [
            ("", .endOfInput, 0), (" \n", .endOfInput, 2), ("[", .endOfInput, 1), ("[1", .endOfInput, 2),
            ("[1,", .endOfInput, 3),
            ("[1,]", .unexpected, 3), ("[1 2]", .unexpected, 3), ("{\"a\"", .endOfInput, 4),
            ("{\"a\" 1}", .unexpected, 5),
            ("{\"a\":1,}", .unexpected, 7), ("{1:2}", .unexpected, 1), ("{a:2}", .unexpected, 1), ("1 2", .trailing, 2),
            ("truE", .unexpected, 3), ("tru", .endOfInput, 3), ("nulll", .trailing, 4), ("\"abc", .endOfInput, 4),
            ("\"a\\", .endOfInput, 3), ("\"\\u12", .endOfInput, 5), ("\"\\x\"", .badString, 1),
            ("\"\\u12g4\"", .badString, 5),
            ("\"\u{1}\"", .badString, 1), ("\"\t\"", .badString, 1), ("-", .endOfInput, 1), ("-x", .badNumber, 1),
            ("1.", .badNumber, 2), ("1.e3", .badNumber, 2), ("1e", .badNumber, 2), ("1e+", .badNumber, 3),
            ("01", .trailing, 1),
            ("+1", .unexpected, 0), (".5", .unexpected, 0), ("NaN", .unexpected, 0), ("'a'", .unexpected, 0),
            ("\u{FEFF}1", .unexpected, 0), ("1\u{0}", .trailing, 1), ("\u{C}1", .unexpected, 0),
            ("/**/1", .unexpected, 0),
        ] as [(String, JSONError.Problem, Int)])
    func whatIsNoJSONIsRefusedWithItsPlace(text: String, problem: JSONError.Problem, offset: Int) {
        let error = self.refusal(text)
        #expect(error?.problem == problem && error?.offset == offset, "\(error.map { "\($0)" } ?? "accepted")")
    }

    @Test func aRefusalSaysWhatAndWhere() {
        #expect(JSONError(.missing, at: 12, member: "seq").description == "a missing member (seq) at byte 12")
        #expect(JSONError(.tooDeep, at: 3).description == "too many nested levels at byte 3")
    }

    @Test(
        arguments: [
            [0xFF], [0x80], [0xC3], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF],
            [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80],
            [0xF0, 0x9F, 0x98], [0xF0, 0x28, 0x8C, 0xBC],
        ] as [[UInt8]])
    func bytesThatAreNotUTF8AreRefused(bytes: [UInt8]) {
        #expect(self.refusal([0x22] + bytes + [0x22])?.problem == .badUTF8)
        #expect(self.refusal(Array("{\"".utf8) + bytes + Array("\":1}".utf8))?.problem == .badUTF8)
        #expect(!bytes.withUnsafeBufferPointer { UTF8Validation.isValid($0) })
        // Behind eight plain bytes, where words are looked at.
        #expect(self.refusal(Array("\"12345678".utf8) + bytes + [0x22])?.problem == .badUTF8)
    }

    @Test func everyScalarIsReadAsItself() throws {
        var text = ""
        for code in stride(from: UInt32(0x20), through: 0x10FFFF, by: 7) {
            guard let scalar = Unicode.Scalar(code), scalar != "\"", scalar != "\\" else { continue }
            text.unicodeScalars.append(scalar)
        }
        #expect(Array(text.utf8).withUnsafeBufferPointer { UTF8Validation.isValid($0) })
        guard case .string(let read) = try JSONValue(text: "\"\(text)\"") else { return #expect(Bool(false)) }
        #expect(Array(read.utf8) == Array(text.utf8))
    }

    @Test(arguments: [
        (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"\u0041\u00e9\u20AC"#, "Aé€"),
        (#"\ud83d\ude00"#, "\u{1F600}"),
        (#"\uD834\uDD1E"#, "\u{1D11E}"), (#"\u0000"#, "\u{0}"), (#"\uffff"#, "\u{FFFF}"), (#"x\\u0041"#, #"x\u0041"#),
        // A surrogate alone is no character.
        (#"\ud800"#, "\u{FFFD}"), (#"\udc00x"#, "\u{FFFD}x"), (#"\ud800\u0041"#, "\u{FFFD}A"),
        (#"\ud800\ud800\udc00"#, "\u{FFFD}\u{10000}"),
        (#"\ud83d\"#, ""),
    ])
    func escapesAreResolved(escaped: String, plain: String) throws {
        guard !escaped.hasSuffix(#"d\"#) else { return #expect(self.refusal("\"\(escaped)\"") != nil) }
        guard case .string(let read) = try JSONValue(text: "\"\(escaped)\"") else { return #expect(Bool(false)) }
        #expect(Array(read.unicodeScalars) == Array(plain.unicodeScalars))
        #expect(try JSONValue(text: "{\"\(escaped)\":1}").object?.keys.first == plain)
    }

    /// Words of eight bytes are looked at together: every place of everything special must be seen.
    @Test func specialBytesAreSeenAtEveryPlace() throws {
        for length in 0..<40 {
            for place in 0..<max(1, length) {
                for (special, plain) in [("\\n", "\n"), ("\\\"", "\""), ("é", "é"), ("\u{7F}", "\u{7F}")] {
                    let (before, after) = (
                        String(repeating: "x", count: place), String(repeating: "y", count: length - place)
                    )
                    #expect(try JSONValue(text: "\"\(before)\(special)\(after)\"") == .string(before + plain + after))
                    #expect(self.refusal("\"\(before)\u{1F}\(after)\"")?.offset == place + 1)
                    #expect(self.refusal("\"\(before)\"\(after)z")?.problem == .trailing)
                }
            }
        }
    }

    @Test func nestingHasALimit() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            #expect(self.refusal(nested(JSONReader.depthMax, open, close)) == nil)
            #expect(self.refusal(nested(JSONReader.depthMax + 1, open, close))?.problem == .tooDeep)
            #expect(self.refusal(String(repeating: open, count: 1_000_000))?.problem == .tooDeep)
        }
        // Side by side there is none.
        #expect(self.refusal("[" + Array(repeating: "[[]]", count: 1_000).joined(separator: ",") + "]") == nil)
    }

    @Test func ofANameThatComesTwiceTheLastValueStands() throws {
        #expect(try JSONValue(text: #"{"a":1,"\u0061":2}"#) == .object(["a": .number("2")]))
    }

    // MARK: What is asked for

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("42", 42),
        ] as [(String, Int64)])
    func integersAreReadExactly(text: String, value: Int64) throws {
        #expect(try self.read(text) { (reader) throws(JSONError) in try reader.integer() } == value)
        #expect(try self.read("\"\(text)\"") { (reader) throws(JSONError) in try reader.integerInString() } == value)
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "1.0", "1e3", "99999999999999999999", "\"1\"", "null", "",
    ])
    func otherNumbersAreNoIntegers(text: String) {
        #expect(throws: JSONError.self) { try self.read(text) { (reader) throws(JSONError) in try reader.integer() } }
    }

    @Test(arguments: ["\"\"", "\"-\"", "\"1.0\"", "\"+1\"", "\" 1\"", "1", "\"\\u0031\"", "\"9223372036854775808\""])
    func otherTextsAreNoIntegers(text: String) {
        #expect(throws: JSONError.self) {
            try self.read(text) { (reader) throws(JSONError) in try reader.integerInString() }
        }
    }

    @Test func decimalsAreReadFromTextAndFromNumbers() throws {
        for text in ["0.37", "\"0.37\"", "\".37\""] {
            #expect(try self.read(text) { (reader) throws(JSONError) in try reader.decimal() } == 370_000)
        }
        for text in ["-1", "1e3", "\"\"", "\"0.0000001\"", "null", ".37"] {
            #expect(throws: JSONError.self) {
                try self.read(text) { (reader) throws(JSONError) in try reader.decimal() }
            }
        }
    }

    @Test func valuesOfAnotherKindAreRefused() {
        for text in ["1", "\"x\"", "null", "[]", "{}", "true"] {
            func refuses(_ kind: Character, _ body: (inout JSONReader) throws(JSONError) -> Void) {
                guard text.first != kind else { return }
                #expect(throws: JSONError.self, "\(text) as \(kind)") { try self.read(text, body) }
            }
            refuses("1") { (reader) throws(JSONError) in _ = try reader.integer() }
            refuses("\"") { (reader) throws(JSONError) in _ = try reader.string() }
            refuses("n") { (reader) throws(JSONError) in try reader.null() }
            refuses("t") { (reader) throws(JSONError) in _ = try reader.bool() }
            refuses("[") { (reader) throws(JSONError) in
                try reader.array { (reader) throws(JSONError) in try reader.skip() }
            }
            refuses("{") { (reader) throws(JSONError) in
                try reader.object { (_, reader) throws(JSONError) in try reader.skip() }
            }
        }
    }

    @Test func aValueCanBePassedOverOrKeptAsItStands() throws {
        let raw = try self.read(#"[1, {"a" : [ "]" ]} ,2]"#) { (reader) throws(JSONError) in
            var kept: [String] = []
            try reader.array { (reader) throws(JSONError) in
                kept.append(String(decoding: try reader.raw(), as: UTF8.self))
            }
            return kept
        }
        #expect(raw == ["1", #"{"a" : [ "]" ]}"#, "2"])
        #expect(throws: JSONError.self) { try self.read("[01]") { (reader) throws(JSONError) in try reader.skip() } }
    }

    // MARK: Values

    @Test func valuesAreAskedForWhatTheyAre() throws {
        let value = try JSONValue(text: #"{"n":null,"i":"12","d":0.25,"t":"x","b":true,"a":[1],"o":{"p":1}}"#)
        #expect(value["n"] == nil && value["none"] == nil)
        #expect(value["i"]?.integer == 12 && value["i"]?.micros == 12_000_000 && value["i"]?.string == "12")
        #expect(value["d"]?.micros == 250_000 && value["d"]?.double == 0.25 && value["d"]?.integer == nil)
        #expect(value["t"]?.micros == nil && value["t"]?.integer == nil && value["t"]?.double == nil)
        #expect(value["b"]?.bool == true && value["b"]?.string == nil && value["b"]?.integer == nil)
        #expect(value["a"]?.array?.count == 1 && value["o"]?.object?.count == 1 && value["o"]?["p"]?.integer == 1)
        #expect(JSONValue.array([])["x"] == nil && JSONValue.null.array == nil && JSONValue.null.object == nil)
    }
}

@Suite struct JSONWriterTests {
    @Test func membersLeaveInTheOrderInWhichTheyAreWritten() {
        var writer = JSONWriter(capacity: 64)
        writer.object {
            $0.key("b")
            $0.array {
                $0.integer(-1)
                $0.null()
                $0.object { _ in }
                $0.array { _ in }
                $0.bool(false)
            }
            $0.key("a")
            $0.decimal(1_500_000)
            $0.key(dynamic: "q\"")
            $0.decimalString(-10)
            $0.key("r")
            $0.raw("[1, 2]".utf8)
            $0.key("m")
            $0.integer(Int64.min)
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"b":[-1,null,{},[],false],"a":1.5,"q\"":"-0.00001","r":[1, 2],"m":-9223372036854775808}"#)
        writer.clear()
        writer.string("x")
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"x\"")
    }

    @Test func everyCharacterIsWrittenSoThatItIsReadBack() throws {
        var text = ""
        for code in UInt32(0)..<0x300 { if let scalar = Unicode.Scalar(code) { text.unicodeScalars.append(scalar) } }
        text += "\u{2028}\u{FFFF}\u{1F600}\u{10FFFF}"
        var writer = JSONWriter()
        writer.string(text)
        guard case .string(let read) = try JSONValue(parsing: writer.bytes) else { return #expect(Bool(false)) }
        #expect(Array(read.unicodeScalars) == Array(text.unicodeScalars))
        // By bytes it is the same.
        var other = JSONWriter()
        Array(text.utf8).withUnsafeBufferPointer { other.string($0) }
        #expect(other.bytes == writer.bytes)
        #expect(writer.bytes.allSatisfy { $0 >= 0x20 })
    }

    @Test(arguments: UInt64(1)...20) func whatWasWrittenIsReadBack(seed: UInt64) throws {
        var generator = JSONGenerator(seed: seed)
        for _ in 0..<100 {
            let value = try JSONValue(parsing: generator.document())
            var writer = JSONWriter()
            value.write(to: &writer)
            #expect(try JSONValue(parsing: writer.bytes) == value)
        }
    }
}
