import Logging
import Shared
import Testing

@testable import DaemonKit

/// Puts sources together and gives what is wrong with them, as lines.
private func problems(
    _ toml: String? = nil, dotEnv: [String: String]? = nil, environment: [String: String] = [:]
) -> [String] {
    do throws(ConfigurationError) {
        _ = try resolve(toml, dotEnv: dotEnv, environment: environment)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

private func resolve(
    _ toml: String? = nil, dotEnv: [String: String]? = nil, environment: [String: String] = [:],
    commandLine: [(path: String, flag: String, text: String)] = []
) throws(ConfigurationError) -> Configuration {
    try Configuration(
        resolving: ConfigurationSources(
            file: toml.map { ("polybot.toml", $0) }, dotEnv: dotEnv.map { (".env", $0) }, environment: environment,
            commandLine: commandLine))
}

/// A value that each kind allows and that no default has, as text for the environment.
private func otherText(for key: ConfigurationKey) -> (text: String, value: ConfigurationValue) {
    let present = key.read(Configuration())
    switch key.kind {
    case .bool: return present == .bool(true) ? ("false", .bool(false)) : ("true", .bool(true))
    case .integer(let range):
        let other = present == .integer(range.lowerBound) ? range.lowerBound + 1 : range.lowerBound
        return ("\(other)", .integer(other))
    case .decimal(let range):
        let other = present == .decimal(range.upperBound) ? range.lowerBound : range.upperBound
        return (Decimal6.text(other), .decimal(other))
    case .choice(let choices, _):
        let other = choices.first { .text($0) != present }!
        return (other.uppercased(), .text(other))
    case .url(let schemes, _): return ("\(schemes[1])://127.0.0.1:8080/x/", .text("\(schemes[1])://127.0.0.1:8080/x"))
    case .text: return ("/tmp/some file", .text("/tmp/some file"))
    case .address:
        let address = "0x" + String(repeating: "aB", count: 20)
        return (address, .text(address))
    case .list: return ("one, two words ,three", .list(["one", "two words", "three"]))
    }
}

@Suite struct ConfigurationTests {
    @Test func withoutAnySourceTheDefaultsHold() throws {
        let configuration = try resolve()
        #expect(configuration == Configuration())
        #expect(configuration.trading.mode == .paper)
        #expect(configuration.risk.orderMax == Money(micros: 50_000_000))
        #expect(configuration.strategies.maker.orderSize == Quantity(shares: 20))
        #expect(configuration.file == nil)
    }

    @Test func everyDefaultIsAllowedByItsOwnKey() {
        for key in ConfigurationKey.all {
            let input: ConfigurationInput =
                switch key.read(Configuration()) {
                case .bool(let value): .bool(value)
                case .integer(let value): .integer(value)
                case .decimal(let micros): .untyped(Decimal6.text(micros))
                case .text(let text): .string(text)
                case .list(let texts): .array(texts.map { .string($0) })
                }
            #expect(key.kind.value(of: input) == key.read(Configuration()), "\(key.path)")
        }
    }

    /// The documented file as somebody makes it who sets every key.
    private static let uncommented = Configuration.documentation.replacing(/\n#([a-z_]+ = )/) { "\n" + $0.1 }

    @Test func theDocumentedFileHasEveryKeyAndSaysTheDefaults() throws {
        // As it is, and with every key set to what stands there.
        for text in [Configuration.documentation, Self.uncommented] {
            var read = try resolve(text)
            #expect(read.file == "polybot.toml")
            read.file = nil
            #expect(read == Configuration())
        }
        for key in ConfigurationKey.all {
            #expect(Self.uncommented.contains("\n\(key.name) = "), "\(key.path)")
            #expect(Configuration.documentation.contains(key.environmentName), "\(key.path)")
            for name in key.predecessors { #expect(Configuration.documentation.contains(name)) }
        }
    }

    @Test func pathsAndEnvironmentNamesAreUnique() {
        #expect(Set(ConfigurationKey.all.map(\.path)).count == ConfigurationKey.all.count)
        #expect(Set(ConfigurationKey.all.map(\.environmentName)).count == ConfigurationKey.all.count)
    }

    @Test func everyKeyTakesEffectFromTheEnvironment() throws {
        for key in ConfigurationKey.all {
            let (text, value) = otherText(for: key)
            let configuration = try resolve(environment: [key.environmentName: text])
            #expect(key.read(configuration) == value, "\(key.path)")
        }
    }

    @Test func everyNameOfThePredecessorTakesEffect() throws {
        var named: Set<String> = []
        for key in ConfigurationKey.all {
            for name in key.predecessors {
                named.insert(name)
                // A name that became two keys must suit both.
                let text = key.path.hasSuffix("min_time_left_s") ? "77" : otherText(for: key).text
                let configuration = try resolve(environment: [name: text])
                #expect(key.read(configuration) == key.kind.value(of: .untyped(text)), "\(name)")
                #expect(key.read(configuration) != key.read(Configuration()), "\(name)")
            }
        }
        let promised = [
            "SIGNATURE_TYPE", "FUNDER_ADDRESS", "PORT", "CLOB_API_URL", "GAMMA_API_URL", "POLYMARKET_WS_URL",
            "BINANCE_WS_URL", "WS_RECONNECT_DELAY", "WS_MAX_RECONNECT_ATTEMPTS", "WS_PING_INTERVAL",
            "MAX_CONCURRENT_MARKETS", "MARKET_SCAN_INTERVAL", "MARKET_KEYWORDS_EXTENDED", "EXCLUDE_KEYWORDS",
            "MIN_TIME_REMAINING_TO_TRADE", "TARGET_LATENCY_MS", "ERROR_THRESHOLD", "CIRCUIT_TIMEOUT",
            "LATENCY_THRESHOLD_MS", "ORDER_SIZE_USD", "GLOBAL_MAX_POSITIONS", "GLOBAL_DAILY_LOSS_LIMIT",
            "GLOBAL_POSITION_SIZE_MAX", "LOG_LEVEL",
        ]
        #expect(named.isSuperset(of: promised))
    }

    @Test func commandLineGoesOverEnvironmentOverDotEnvOverFileOverDefault() throws {
        let toml = "[logging]\nlevel = \"debug\"\n"
        let name = "POLYBOT_LOGGING_LEVEL"
        let flag = [(path: "logging.level", flag: "--log-level", text: "critical")]
        #expect(try resolve(toml).logging.level == .debug)
        #expect(try resolve(toml, dotEnv: [name: "notice"]).logging.level == .notice)
        #expect(try resolve(toml, dotEnv: [name: "notice"], environment: [name: "error"]).logging.level == .error)
        #expect(
            try resolve(toml, dotEnv: [name: "notice"], environment: [name: "error"], commandLine: flag).logging.level
                == .critical)
        // A predecessor's name in the environment still goes over a key's own name in .env.
        #expect(
            try resolve(toml, dotEnv: [name: "notice"], environment: ["LOG_LEVEL": "WARN"]).logging.level == .warning)
    }

    @Test func aKeysOwnNameGoesOverThePredecessors() throws {
        let configuration = try resolve(environment: ["PORT": "8000", "POLYBOT_DASHBOARD_PORT": "9000"])
        #expect(configuration.dashboard.port == 9_000)
        #expect(configuration.notes == ["environment: PORT has no effect because POLYBOT_DASHBOARD_PORT is set"])
    }

    @Test func dryRunForcesPaperFromWhereverItIsSaid() throws {
        let live = "[trading]\nmode = \"live\"\n"
        #expect(try resolve(live).trading.mode == .live)
        #expect(try resolve(live, environment: ["DRY_RUN": "true"]).trading.mode == .paper)
        #expect(try resolve(live, dotEnv: ["DRY_RUN": "1"], environment: ["DRY_RUN": "false"]).trading.mode == .paper)
        #expect(try resolve(environment: ["DRY_RUN": "True", "POLYBOT_TRADING_MODE": "live"]).trading.mode == .paper)
    }

    @Test func dryRunFalseAloneEnablesNothing() throws {
        let configuration = try resolve(environment: ["DRY_RUN": "false"])
        #expect(configuration.trading.mode == .paper)
        #expect(configuration.notes.count == 1)
        #expect(problems(environment: ["DRY_RUN": "perhaps"]).count == 1)
    }

    @Test func strategiesThatDoNotExistAreNotedWhenTheyAreTurnedOn() throws {
        let configuration = try resolve(environment: [
            "STRATEGY_LATENCY_ARB_ENABLED": "true", "STRATEGY_NEWS_ENABLED": "false", "STRATEGY_MAKER_ENABLED": "false",
        ])
        #expect(!configuration.strategies.maker.enabled)
        #expect(
            configuration.notes == [
                "environment: STRATEGY_LATENCY_ARB_ENABLED has no effect: this version has no such strategy"
            ])
        #expect(
            problems(environment: ["STRATEGY_NEWS_ENABLED": "maybe"])
                == ["environment: STRATEGY_NEWS_ENABLED: found \"maybe\", allowed is true or false"])
    }

    @Test func amountsAreExact() throws {
        let configuration = try resolve(
            """
            [risk]
            max_order_usd = 10.1
            max_total_usd = 123456.654321
            price_band = 0.000001
            error_rate_max = 1
            [strategies.maker]
            order_size = 5.000001
            [feed]
            reconnect_delay_s = 0.25
            """)
        #expect(configuration.risk.orderMax.micros == 10_100_000)
        #expect(configuration.risk.totalMax.micros == 123_456_654_321)
        #expect(configuration.risk.priceBand.micros == 1)
        #expect(configuration.risk.errorRateMaxMicros == 1_000_000)
        #expect(configuration.strategies.maker.orderSize.micros == 5_000_001)
        #expect(configuration.feed.reconnectDelay == .milliseconds(250))
        #expect(problems("[risk]\nmax_order_usd = 10.1234567\n").count == 1)
    }

    @Test func everyProblemIsReportedWithFileLineKeyFoundAndAllowed() {
        let found = problems(
            """
            [risk]
            max_order_usd = "ten"
            max_open_orders = 1.5
            [dashboard]
            port = 99999
            [feed]
            reconnect_delay_s = -1
            standby = "yes"
            [venue]
            clob_url = "ftp://example.org"
            gamma_url = "https://example.org:70000"
            [scanner]
            keywords = ["a", 3]
            interval_s = 1979-05-27
            """)
        #expect(
            found == [
                "polybot.toml:5: dashboard.port: found 99999 (a whole number), allowed is a whole number from 1 to 65535",
                "polybot.toml:7: feed.reconnect_delay_s: found -1 (a whole number), allowed is a number from 0.1 to 300, six decimals at most",
                "polybot.toml:8: feed.standby: found \"yes\" (text), allowed is true or false",
                "polybot.toml:3: risk.max_open_orders: found 1.5 (a number), allowed is a whole number from 1 to 10000",
                "polybot.toml:2: risk.max_order_usd: found \"ten\" (text), allowed is a number from 1 to 1000000, six decimals at most",
                "polybot.toml:14: scanner.interval_s: found a date or time, allowed is a number from 1 to 3600, six decimals at most",
                "polybot.toml:13: scanner.keywords: found a list of 2, allowed is a list of at most 500 texts (in the environment: separated by commas)",
                "polybot.toml:10: venue.clob_url: found \"ftp://example.org\" (text), allowed is a URL that begins with https:// or http://",
                "polybot.toml:11: venue.gamma_url: found \"https://example.org:70000\" (text), allowed is a URL that begins with https:// or http://",
            ])
    }

    @Test func unknownKeysNameTheNearest() {
        #expect(
            problems("[risk]\nmax_oder_usd = 5\n")
                == [
                    "polybot.toml:2: risk.max_oder_usd: is not a key of polybot.toml; the nearest is risk.max_order_usd"
                ])
        #expect(
            problems("port = 5000\n")
                == ["polybot.toml:1: port: is not a key of polybot.toml; the nearest is dashboard.port"])
        #expect(
            problems("[strategy.maker]\nenabled = true\n")
                == [
                    "polybot.toml:2: strategy.maker.enabled: is not a key of polybot.toml; the nearest is strategies.maker.enabled"
                ])
        #expect(
            problems("[logging]\nxyzzy = true\n")
                == ["polybot.toml:2: logging.xyzzy: is not a key of polybot.toml; [logging] has level"])
        #expect(
            problems("[scaner]\na = 1\nb = 2\n")
                == ["polybot.toml:2: scaner: is not a section of polybot.toml; the nearest is [scanner]"])
        // A quoted name with a dot is not the path that it looks like.
        #expect(problems("\"risk.max_order_usd\" = 7\n").count == 1)
    }

    @Test func sectionsAndValuesAreNotMistakenForEachOther() {
        #expect(problems("risk = 5\n") == ["polybot.toml:1: risk: is a section: write [risk] and its keys below"])
        #expect(
            problems("[risk.max_order_usd]\n")
                == [
                    "polybot.toml:1: risk.max_order_usd: found a section, allowed is a number from 1 to 1000000, six decimals at most"
                ])
        #expect(problems("[risk]\n[feed]\n") == [])
        #expect(problems("") == [])
    }

    @Test func brokenTOMLNamesItsLine() {
        for (text, line) in [("[risk\n", 1), ("[risk]\na = \n", 2), ("\n\nx = 'abc\n", 3), ("[feed]\n[feed]\n", 2)] {
            let found = problems(text)
            #expect(found.count == 1)
            #expect(found.first?.hasPrefix("polybot.toml:\(line): is not valid TOML: ") == true, "\(found)")
        }
        #expect(problems("a = 1\u{0}\n") == ["polybot.toml: holds a zero byte, so it is no TOML"])
    }

    /// The parser underneath ends the process on these.
    @Test(arguments: [
        "[.risk]\n", "[!risk]\n", "[[ $x ]]\n", "[\n", "[[\n", "a = 1\r\n\t[ \u{8}\u{8}]\r\n", "\u{FEFF}[=]\n",
        "[\u{A0}a]\n",
        "a = [}\n", "a = [ 1, # x\n }\n", "[x] # [!]\na = 1979-05-27TX07:32:00Z\n",
        String(repeating: "a.", count: 400_000) + "a = 1\n", "[" + String(repeating: "a.", count: 400_000) + "a]\n",
    ])
    func whatTheParserUnderneathCannotTakeIsRefusedBeforeIt(text: String) {
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found[0].contains(": is not valid TOML: a "), "\(found[0].prefix(200))")
        #expect(found[0].count < 200)
    }

    @Test func whatOnlyLooksLikeATrapIsRead() throws {
        let text =
            "# [.risk] 2026-11-25Tx\n[scanner] # [!]\nkeywords = [ # [.]\n\"[!a\", '2026-11-25Tx', \"\\\"[.\",\n]\n"
        #expect(try resolve(text).scanner.keywords == ["[!a", "2026-11-25Tx", "\"[."])
    }

    @Test func aFileOfAnotherSystemKeepsItsLines() {
        #expect(
            problems("[risk]\r\nmax_order_usd = \"x\"\r\n").first?.hasPrefix("polybot.toml:2: risk.max_order_usd: ")
                == true)
    }

    @Test func misspeltVariablesOfOursAreRefused() {
        #expect(
            problems(environment: ["POLYBOT_RISK_MAX_ODER_USD": "5"])
                == [
                    "environment: POLYBOT_RISK_MAX_ODER_USD: stands for no key of polybot.toml; the nearest is POLYBOT_RISK_MAX_ORDER_USD"
                ])
        #expect(problems(environment: ["POLYBOT_RIKS_MAX_ORDER_USD": "5"]).count == 1)
        #expect(problems(environment: ["POLYBOT_CONFIG": "x", "POLYBOT_LIFELINE_FD": "3", "POLYBOT_SOAK": "1"]) == [])
        #expect(
            problems(dotEnv: ["POLYBOT_DASHBOARD_PORT": "99999"])
                == [".env: POLYBOT_DASHBOARD_PORT: found \"99999\", allowed is a whole number from 1 to 65535"])
    }

    @Test func secretsAreNeverRepeated() {
        let key = "0x" + String(repeating: "4f", count: 32)
        let texts = [
            problems("[trading]\nprivate_key = \"\(key)\"\n"), problems("[trading]\nfunder_address = \"\(key)\"\n"),
            problems("[venue]\nproxy = \"http//user:pass@host\"\n"), problems("[trading]\nx = \(key)zz\n"),
            problems(environment: ["POLYBOT_TRADING_FUNDER_ADDRESS": key, "POLYGON_PRIVATE_KEY": key]),
            problems("\"\(key)\" = 1\n"),
        ]
        for text in texts {
            #expect(text.count == 1)
            #expect(!text.joined().contains("4f4f4f"))
            #expect(!text.joined().contains("pass"))
        }
    }

    @Test func textFromOutsideCannotSpoilALine() {
        let found = problems(environment: ["PORT": "1\n2\u{1B}[31m" + String(repeating: "x", count: 500)])
        #expect(found.count == 1)
        #expect(found[0].count < 200)
        #expect(!found[0].contains("\n") && !found[0].contains("\u{1B}"))
        #expect(!problems("v= t\n").joined().contains("\n"))
    }

    @Test func nonsenseNeverCrashesTheReader() {
        var random = SeededRandom(seed: 7)
        let document = Array(Self.uncommented.utf8)
        for _ in 0..<150 {
            var bytes = document
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default:
                    bytes.insert(
                        contentsOf: bytes[index...].prefix(7), at: Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            // Read or refused: either is right, a crash is not.
            _ = problems(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func theNearestNameIsTheOneWithTheFewestChanges() {
        #expect(ConfigurationText.distance("abc", "abc") == 0)
        #expect(ConfigurationText.distance("abc", "acb") == 1)
        #expect(ConfigurationText.distance("", "abc") == 3)
        #expect(ConfigurationText.distance("kitten", "sitting") == 3)
        #expect(ConfigurationText.nearest(to: "entirely.different", among: ["risk.max_order_usd"]) == nil)
    }
}
