import Glibc
import Shared
import Testing

@testable import DaemonKit

/// `docs/PROTOCOL.md` against the code.
struct ProtocolDocumentTests {
    /// A fenced block and the heading that it stands under.
    struct Example: CustomTestStringConvertible {
        let title: String
        let line: Int
        /// Without white space between the parts.
        let json: [UInt8]
        var testDescription: String { "\(self.title), line \(self.line)" }
    }

    static let text: String = {
        let path = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/docs/PROTOCOL.md"
        return DaemonTest.read(path)
    }()

    static let examples: [Example] = {
        var examples: [Example] = []
        var title = ""
        var block: (line: Int, text: String)?
        for (index, line) in Self.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let open = block {
                if line == "```" {
                    examples.append(Example(title: title, line: open.line, json: Self.compact(open.text)))
                    block = nil
                } else {
                    block = (open.line, open.text + line + "\n")
                }
            } else if line == "```json" {
                block = (index + 2, "")
            } else if line.hasPrefix("#") {
                title = String(line.drop { $0 == "#" || $0 == " " || $0 == "`" }.prefix { $0 != "`" })
            }
        }
        return examples
    }()

    /// Leaves the white space in strings alone and takes out all other.
    private static func compact(_ text: String) -> [UInt8] {
        var isInString = false
        var isEscaped = false
        return text.utf8.filter { byte in
            defer {
                if byte == UInt8(ascii: "\"") && !isEscaped { isInString.toggle() }
                isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            }
            return isInString || byte > 0x20
        }
    }

    /// The frame that the code sends for what it read in `frame`, without the length.
    private static func written(again frame: UnsafeBufferPointer<UInt8>) throws -> [UInt8] {
        let envelope = try Envelope(reading: frame)
        func write<Body: FrameBody>(_: Body.Type) throws -> [UInt8] {
            let body: Body = try envelope.decode()
            var bytes: [UInt8] = []
            EncodedFrame(body, sentTime: envelope.sentTime).write(sequence: envelope.sequence, to: &bytes)
            return Array(bytes.dropFirst(4))
        }
        guard let type = FrameType(rawValue: envelope.type) else { throw FrameError.badVersion(0) }
        switch type {
        case .hello: return try write(Hello.self)
        case .ping: return try write(Ping.self)
        case .pong: return try write(Pong.self)
        case .error: return try write(ErrorBody.self)
        case .result: return try write(ResultBody.self)
        case .subscribe: return try write(Subscribe.self)
        case .metrics: return try write(Metrics.self)
        case .universe: return try write(UniverseBody.self)
        case .marketAdded: return try write(MarketAdded.self)
        case .marketChanged: return try write(MarketChanged.self)
        case .marketRemoved: return try write(MarketRemoved.self)
        case .eventGroup: return try write(EventGroupBody.self)
        case .marketHint: return try write(MarketHint.self)
        case .scanStatus: return try write(ScanStatus.self)
        case .market: return try write(MarketBody.self)
        case .book: return try write(BookBody.self)
        case .delta: return try write(DeltaBody.self)
        case .trade: return try write(TradeBody.self)
        case .trust: return try write(TrustBody.self)
        case .resolved: return try write(ResolvedBody.self)
        case .tickSize: return try write(TickSizeBody.self)
        case .tradesDropped: return try write(TradesDropped.self)
        case .feedStatus: return try write(FeedStatus.self)
        case .order: return try write(OrderBody.self)
        case .fill: return try write(FillBody.self)
        case .position: return try write(PositionBody.self)
        case .balance: return try write(BalanceBody.self)
        case .decision: return try write(DecisionBody.self)
        case .riskStatus: return try write(RiskStatus.self)
        case .strategyStatus: return try write(StrategyStatus.self)
        case .referencePrice: return try write(ReferencePriceBody.self)
        // Commands are read member by member: these are objects.
        case .scanNow, .halt, .resume, .flatten, .explain, .cancelAll, .pauseStrategy, .resumeStrategy, .setLimit:
            let command = try Command(envelope)
            guard command.body.object != nil else { throw JSONError(.unexpected, at: 0) }
            guard command.id != nil else { throw JSONError(.missing, at: 0, member: "id") }
            return Array(frame)
        }
    }

    @Test(arguments: examples)
    func theCodeWritesWhatTheDocumentShows(example: Example) throws {
        try example.json.withUnsafeBufferPointer { frame in
            let envelope = try Envelope(reading: frame)
            let isTitled = example.title == envelope.type || example.title == "Framing"
            #expect(isTitled, "the example of \(envelope.type) stands under \(example.title)")
            let written = try Self.written(again: frame)
            #expect(String(decoding: written, as: UTF8.self) == String(decoding: frame, as: UTF8.self))
        }
    }

    @Test(arguments: FrameType.allCases)
    func everyTypeHasItsChapterAndAnExample(type: FrameType) {
        #expect(Self.examples.contains { $0.title == type.rawValue })
    }

    @Test(arguments: ErrorCode.allCases)
    func everyErrorIsInTheTable(code: ErrorCode) { #expect(Self.text.contains("\n| `\(code.rawValue)` | ")) }

    @Test(arguments: TrustReason.allCases)
    func everyReasonForDistrustIsInTheTable(reason: TrustReason) {
        #expect(Self.text.contains("\n| `\(reason.rawValue)` | "))
    }

    @Test func everyLimitIsTheCodes() {
        let timing = FrameTiming()
        let limits: [(String, Int, String)] = [
            ("largest frame", FrameDecoder.byteCountMax, " bytes"),
            ("frames that wait for a subscriber", OutputQueue.byteCountMax, " bytes"),
            ("opening lists that wait for a subscriber", OutputQueue.openingByteCountMax, " bytes"),
            ("largest frame of a mere reader", FramePlaces.readerFrameByteCountMax, " bytes"),
            ("connections of a server", FramePlaces.countMax, ""),
            ("of these kept for operators and daemons", FramePlaces.reservedCount, ""),
            ("connections of one mere reader's user", FramePlaces.readerCountMax, ""),
            ("each text of a `hello`", Hello.textByteCountMax, " bytes"),
            ("from one ping to the next", Int(timing.pingInterval.milliseconds), " ms"),
            ("longest silence", Int(timing.silenceMax.milliseconds), " ms"),
            ("time to read an `error`", Int(timing.lingerMax.milliseconds), " ms"),
            ("`message` of an `error` or a `result`", ErrorBody.messageByteCountMax, " bytes"),
            ("markets named in a `subscribe`", Subscribe.marketCountMax, ""),
            ("markets in one `universe` frame", UniverseBody.partMarketCountMax, ""),
            ("path of a socket", UnixListener.pathByteCountMax, " bytes"),
        ]
        for (name, value, unit) in limits {
            #expect(Self.text.contains("\n| \(name) | \(Self.grouped(value))\(unit) |\n"))
        }
        #expect(Self.text.contains("over \(Self.grouped(FrameDecoder.byteCountMax)) ends"))
        #expect(Envelope.version == 1)
    }

    private static func grouped(_ value: Int) -> String {
        var groups: [Substring] = []
        var digits = Substring("\(value)")
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }

    @Test func whoMayConnectIsAsTheDocumentSays() {
        #expect(Access.sameUser.socketMode == 0o600 && Self.text.contains("mode `0600`"))
        #expect(Access.groups(readers: nil, operators: nil).socketMode == 0o660 && Self.text.contains("it is `0660`"))
        #expect(Self.text.contains("`\(Access.operatorsGroup)`"))
    }

    @Test(
        "The words of a closed list are all told",
        arguments: [
            ("market_removed", MarketRemoved.Reason.allCases.map(\.rawValue)),
            ("event_group", EventGroup.State.allCases.map(\.rawValue)),
            ("market_hint", MarketHint.Kind.allCases.map(\.rawValue)),
            ("feed_status", FeedStatus.Mode.allCases.map(\.rawValue)),
            ("order", OrderState.allCases.map(\.rawValue)),
            ("decision", DecisionBody.Action.allCases.map(\.rawValue)),
            ("strategy_status", StrategyStatus.State.allCases.map(\.rawValue)),
        ])
    func theWordsOfAClosedListAreAllTold(title: String, words: [String]) throws {
        let chapter = try #require(Self.text.chapter(after: "\n### `\(title)`\n"))
        for word in words { #expect(chapter.contains("`\(word)`"), "\(title) does not tell of \(word)") }
    }

    @Test func whatWaitsAndWhatIsLeftOutIsAsTheDocumentSays() throws {
        let chapter = try #require(Self.text.chapter(after: "\n### When you read too slowly\n"))
        let line = try #require(chapter.split(separator: "\n").first { $0.contains("are left out") })
        for type in FrameType.allCases where !type.isPrecious {
            switch type {
            case .book, .delta, .trade, .tradesDropped, .referencePrice: break
            default: #expect(line.contains("`\(type.rawValue)`"))
            }
        }
    }

    @Test func everyCutOfTheExamplesGivesTheSameFrames() throws {
        var stream: [UInt8] = []
        for example in Self.examples {
            stream += [0, 0, UInt8(example.json.count >> 8), UInt8(example.json.count & 0xFF)] + example.json
        }
        func types(_ pieces: [ArraySlice<UInt8>]) throws -> [String] {
            var decoder = FrameDecoder()
            var types: [String] = []
            for piece in pieces {
                decoder.append(piece)
                while let type = try decoder.next({ (frame) throws(FrameError) in try Envelope(reading: frame).type }) {
                    types.append(type)
                }
            }
            return types
        }
        let whole = try types([stream[...]])
        #expect(whole.count == Self.examples.count)
        #expect(try types(stream.indices.map { stream[$0...$0] }) == whole)
        for cut in stream.indices where cut % 97 == 0 || cut < 200 {
            #expect(try types([stream[..<cut], stream[cut...]]) == whole)
        }
    }
}

extension String {
    /// What follows `mark`, up to the next heading.
    fileprivate func chapter(after mark: String) -> String? {
        guard let start = self.firstRange(of: mark)?.upperBound else { return nil }
        let rest = self[start...]
        return String(rest[..<(rest.firstRange(of: "\n#")?.lowerBound ?? rest.endIndex)])
    }
}
