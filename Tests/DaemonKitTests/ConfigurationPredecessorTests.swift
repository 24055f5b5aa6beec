import Glibc
import Shared
import Testing

@testable import DaemonKit

/// A name of the predecessor and one key that it became, with four values that differ from each other and the default.
struct PredecessorCase: Sendable, CustomTestStringConvertible {
    let name: String
    let key: ConfigurationKey
    var testDescription: String { "\(self.name) → \(self.key.path)" }

    static let all = ConfigurationPredecessor.all.compactMap { row in
        row.key.map { PredecessorCase(name: row.name, key: $0) }
    }

    /// The four, as text for the environment. Where a kind has two values only, they take turns.
    var texts: [String] {
        let present = self.key.read(Configuration())
        switch self.key.kind {
        case .bool:
            return present == .bool(true) ? ["false", "true", "false", "true"] : ["true", "false", "true", "false"]
        case .integer(let range):
            let numbers = (range.lowerBound...range.upperBound).lazy.filter { present != .integer($0) }.prefix(4)
            return Self.four(numbers.map { "\($0)" })
        case .decimal(let range):
            // A name that became two keys must suit both.
            let first = max(range.lowerBound, min(range.upperBound / 10, 11 * Decimal6.scale))
            return (1...4).map { Decimal6.text(first + $0 * 1_000) }
        case .choice(let choices, _): return Self.four(choices.filter { present != .text($0) })
        case .url(let schemes, _): return (1...4).map { "\(schemes[0])://127.0.0.1:80\($0)" }
        case .text: return (1...4).map { "text \($0)" }
        case .address: return (1...4).map { "0x" + String(repeating: "\($0)", count: 40) }
        case .list: return (1...4).map { "one,two\($0)" }
        }
    }

    private static func four(_ texts: [String]) -> [String] { (0..<4).map { texts[$0 % texts.count] } }

    /// As the file says it.
    func toml(_ text: String) -> String {
        let value =
            switch self.key.kind {
            case .bool, .integer, .decimal: text
            case .choice, .url, .text, .address: "\"\(text)\""
            case .list: "[" + text.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", ") + "]"
            }
        return "[\(self.key.section)]\n\(self.key.name) = \(value)\n"
    }

    /// What the kind refuses.
    var wrongText: String {
        switch self.key.kind {
        case .bool: "perhaps"
        case .integer, .decimal: "-1"
        case .choice: "loud"
        case .url: "gopher://x"
        case .text: "\u{7}"
        case .address: "0x12"
        case .list: Array(repeating: "x", count: ConfigurationKind.listCountMax + 1).joined(separator: ",")
        }
    }
}

/// Each name of the Python predecessor, from a real environment and a real `.env` beside a real polybot.toml.
@Suite struct ConfigurationPredecessorTests {
    /// `STRATEGY_*_ENABLED` stands for strategies that this version does not have.
    @Test func everyNameThatIsPromisedIsInTheTable() {
        let promised = [
            "POLYGON_PRIVATE_KEY", "SIGNATURE_TYPE", "FUNDER_ADDRESS", "PORT", "DRY_RUN", "CLOB_API_URL",
            "GAMMA_API_URL",
            "POLYMARKET_WS_URL", "BINANCE_WS_URL", "WS_RECONNECT_DELAY", "WS_MAX_RECONNECT_ATTEMPTS",
            "WS_PING_INTERVAL",
            "MAX_CONCURRENT_MARKETS", "MARKET_SCAN_INTERVAL", "MARKET_KEYWORDS_EXTENDED", "EXCLUDE_KEYWORDS",
            "MIN_TIME_REMAINING_TO_TRADE", "TARGET_LATENCY_MS", "ERROR_THRESHOLD", "CIRCUIT_TIMEOUT",
            "LATENCY_THRESHOLD_MS", "ORDER_SIZE_USD", "GLOBAL_MAX_POSITIONS", "GLOBAL_DAILY_LOSS_LIMIT",
            "GLOBAL_POSITION_SIZE_MAX", "STRATEGY_*_ENABLED", "STRATEGY_MAKER_ENABLED", "STRATEGY_MARKET_MAKER_ENABLED",
            "STRATEGY_MARKET_MAKING_ENABLED", "STRATEGY_ALLOCATION", "LOG_LEVEL",
        ]
        #expect(Set(ConfigurationPredecessor.all.map(\.name)) == Set(promised))
    }

    private func load(
        _ directory: DaemonTestDirectory, environment: [String: String] = [:],
        commandLine: [(path: String, flag: String, text: String)] = []
    ) throws(ConfigurationError) -> Configuration {
        try Configuration.load(
            path: directory.path("polybot.toml"), environment: environment, readsDotEnv: true, commandLine: commandLine)
    }

    @Test(arguments: PredecessorCase.all)
    func commandLineGoesOverEnvironmentOverDotEnvOverFileOverDefault(each: PredecessorCase) throws {
        let directory = try DaemonTestDirectory()
        let (key, name, texts) = (each.key, each.name, each.texts)
        func expect(_ text: String, _ configuration: Configuration) {
            #expect(key.read(configuration) == key.kind.value(of: .untyped(text)), "\(text)")
        }
        try directory.write("", to: "polybot.toml")
        #expect(try key.read(self.load(directory)) == key.read(Configuration()))
        try directory.write(each.toml(texts[0]), to: "polybot.toml")
        expect(texts[0], try self.load(directory))
        #expect(try key.read(self.load(directory)) != key.read(Configuration()))
        try directory.write("# as it was\nexport \(name)='\(texts[1])'\n", to: ".env")
        expect(texts[1], try self.load(directory))
        expect(texts[2], try self.load(directory, environment: [name: texts[2]]))
        let flag = [(path: key.path, flag: "--flag", text: texts[3])]
        expect(texts[3], try self.load(directory, environment: [name: texts[2]], commandLine: flag))
        #expect(try self.load(directory, environment: [name: texts[2]]).notes == [])
    }

    @Test(arguments: PredecessorCase.all)
    func aWrongValueIsRefusedWithTheNameAndWhatIsAllowed(each: PredecessorCase) throws {
        let directory = try DaemonTestDirectory()
        try directory.write("", to: "polybot.toml")
        func problems(_ environment: [String: String]) -> [String] {
            do throws(ConfigurationError) {
                _ = try self.load(directory, environment: environment)
                return []
            } catch { return error.problems.map(\.description) }
        }
        let expected = problems([each.name: each.wrongText]).filter {
            $0.contains("allowed is \(each.key.kind.allowed)")
        }
        #expect(expected.contains { $0.hasPrefix("environment: \(each.name): found ") }, "\(expected)")
        try directory.write("\(each.name)=\(each.wrongText)\n", to: ".env")
        let fromFile = problems([:])
        #expect(fromFile.contains { $0.hasPrefix("\(directory.path(".env")): \(each.name): found ") }, "\(fromFile)")
    }

    @Test func theKeyIsNoValueOfTheConfigurationAndIsNeverShown() throws {
        let directory = try DaemonTestDirectory()
        let key = "0x" + String(repeating: "4f", count: 32)
        try directory.write("", to: "polybot.toml")
        try directory.write("POLYGON_PRIVATE_KEY=\(key)\nPORT=none\n", to: ".env")
        let error = #expect(throws: ConfigurationError.self) {
            _ = try self.load(directory, environment: ["POLYGON_PRIVATE_KEY": key])
        }
        #expect(error?.problems.count == 1)
        try directory.write("POLYGON_PRIVATE_KEY=\(key)\n", to: ".env")
        let configuration = try self.load(directory, environment: ["POLYGON_PRIVATE_KEY": key])
        #expect(!"\(configuration)\(error!)".contains("4f4f"))
        #expect(configuration.dotEnvPath == directory.path(".env"))
        #expect(configuration.dotEnvValue(of: "POLYGON_PRIVATE_KEY") == key)
        #expect(configuration.dotEnvValue(of: "OTHER") == nil)
    }

    /// With `POLYBOT_WRITE_DOCUMENTS=1` the document is written instead.
    @Test func theDocumentIsWhatTheTablesSay() throws {
        let path = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/docs/CONFIGURATION.md"
        guard getenv("POLYBOT_WRITE_DOCUMENTS") != nil else {
            #expect(
                DaemonTest.read(path) == Configuration.tables,
                "run this suite with POLYBOT_WRITE_DOCUMENTS=1 to write docs/CONFIGURATION.md anew")
            return
        }
        let file = try #require(fopen(path, "we"))
        defer { fclose(file) }
        try #require(fputs(Configuration.tables, file) >= 0)
    }
}
