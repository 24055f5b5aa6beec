import Shared

/// The command line. Own code: simvenue stays free of the daemons' libraries.
struct Flags: Hashable, Sendable {
    enum Command: Hashable, Sendable {
        case run(Flags)
        case help
        case version
        case faults
        case printConfiguration(Flags)
        case generate(Program.Text)
    }

    struct Problem: Error, Hashable, Sendable {
        let sentence: String
    }

    static let program = Program(
        name: "simvenue", section: 1, summary: "is a prediction-market venue on loopback", flags: Self.table,
        sections: [
            .init(
                "DESCRIPTION",
                [
                    .paragraph(
                        """
                        Serves Gamma, the order book service, the market and the user channel and reference prices, all \
                        on one port of 127.0.0.1, with markets and traffic that a seed makes up, or those of a recording.
                        Prints one line of JSON with its port and URLs on standard output when it listens.
                        POST /control makes a fault happen, GET /audit tells what was asked of it and what it did.
                        Stops on SIGTERM, SIGINT and SIGHUP.
                        """)
                ]),
            .init(
                "EXIT STATUS",
                [.items([.init(["0"], "stopped as asked."), .init(["64"], "wrong usage."), .init(["70"], "a bug.")])]),
            .init("SEE ALSO", [.paragraph("polybot(1)")]),
        ],
        closing: """
            All is on one port of 127.0.0.1: Gamma, the order book service, both channels, reference prices.
            Prints {"ready":true,"port":N,"gamma_url":…} on standard output when it listens.
            """)

    private static let table = [
        ProgramFlag("--port", value: "N", "port on 127.0.0.1; 0, the default, takes any free one"),
        ProgramFlag(
            "--markets", value: "N",
            "tradable markets at any time, 1 to \(SimulatedVenue.Settings.marketCountMax); default 30"),
        ProgramFlag(
            "--listing", value: "KIND",
            "plain or full: markets of every kind, \(SimulatedVenue.Settings.fullMarketCountDefault) by default; "
                + "default plain"),
        ProgramFlag(
            "--rate", value: "N",
            "messages a second over all markets, 0 to \(SimulatedVenue.Settings.rateMax); default 200"),
        ProgramFlag(
            "--volatility", value: "X",
            "how wild prices are, 0 to \(Decimal6.text(SimulatedVenue.Settings.volatilityMax)); default 1"),
        ProgramFlag(
            "--bursts", value: "N",
            "every N seconds on average, a second of ten times the rate; 0, the default, for none"),
        ProgramFlag("--seed", value: "N", "the same seed gives the same markets and traffic; default 7"),
        ProgramFlag(
            "--replay", value: "FILE",
            "serve a recording instead: JSON lines {\"f\",\"recv_ms\",\"raw\"}, or one frame",
            completion: .file),
        ProgramFlag("--speed", value: "X", "speed of the recording; 0 sends as fast as it is read; default 1"),
        ProgramFlag(
            "--script", value: "FILE", "faults with their times: JSON lines {\"at_ms\":1500,\"do\":\"drop\"}",
            completion: .file),
        ProgramFlag(
            "--compression", value: "KIND",
            "off, or on: the market channel is compressed for who offers it; default off"),
        ProgramFlag(
            "--balance", value: "N",
            "pUSD of a trader's account at first, 0 to "
                + "\(Desk.startingBalanceMax.micros / Decimal6.scale); default 10000"),
        ProgramFlag("--tier", value: "NAME", "rate limits of traders, Standard to Elite; default Standard"),
        ProgramFlag("--limits", value: "KIND", "warn of rate limits, or enforce them; default warn"),
        ProgramFlag("--faults", "print the faults that /control and --script know, and end"),
        ProgramFlag("--print-config", "print the settings as one line of JSON, and end"),
        ProgramFlag("--version", "print the version, and end"),
        ProgramFlag("--help", short: "-h", "print this, and end"),
        ProgramFlag("--generate", value: "TEXT", "print a text that an installation needs", isHidden: true),
    ]
    static let version = "simvenue 0.1.0"
    static let speedMax = 1_000_000.0

    var port = 0
    var settings = SimulatedVenue.Settings()
    var replay: String?
    var speed = 1.0
    var script: String?
    var compresses = false
    var desk = Desk.Settings()

    static func parse(_ arguments: [String]) throws(Problem) -> Command {
        var flags = Flags()
        var isSimulationAsked = false
        var isSpeedAsked = false
        var isMarketCountAsked = false
        var isPrintAsked = false
        var isTradingAsked = false
        // A word for who looks for one; the flag is what the manual and the shells know.
        if arguments == ["faults"] { return .faults }
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let given = halves[0]
            guard let flag = Self.table.first(where: { $0.name == given || $0.short == given }) else {
                throw Problem(sentence: "unknown argument '\(argument)'; see simvenue --help")
            }
            let name = flag.name
            switch name {
            case "--help": return .help
            case "--version": return .version
            case "--faults": return .faults
            case "--print-config":
                isPrintAsked = true
                continue
            default: break
            }
            guard let value = halves.count == 2 ? halves[1] : rest.popFirst() else {
                throw Problem(sentence: "\(name) needs a value; see simvenue --help")
            }
            switch name {
            case "--port": flags.port = try Self.number(value, of: name, 0...65_535)
            case "--markets":
                flags.settings.marketCount = try Self.number(
                    value, of: name, 1...SimulatedVenue.Settings.marketCountMax)
                isSimulationAsked = true
                isMarketCountAsked = true
            case "--listing":
                guard let listing = SimulatedVenue.Settings.Listing(rawValue: value) else {
                    throw Problem(sentence: "--listing is plain or full, not '\(value)'")
                }
                flags.settings.listing = listing
                isSimulationAsked = true
            case "--rate":
                flags.settings.rate = try Self.number(value, of: name, 0...SimulatedVenue.Settings.rateMax)
                isSimulationAsked = true
            case "--volatility":
                guard let volatility = Decimal6.parse(value), volatility <= SimulatedVenue.Settings.volatilityMax else {
                    let most = Decimal6.text(SimulatedVenue.Settings.volatilityMax)
                    throw Problem(sentence: "--volatility must be a decimal from 0 to \(most), not '\(value)'")
                }
                flags.settings.volatility = volatility
                isSimulationAsked = true
            case "--bursts":
                flags.settings.burstSpacing = try Self.number(
                    value, of: name, 0...SimulatedVenue.Settings.burstSpacingMax)
                isSimulationAsked = true
            case "--seed":
                guard let seed = UInt64(value) else {
                    throw Problem(sentence: "--seed must be a whole number from 0 to \(UInt64.max), not '\(value)'")
                }
                flags.settings.seed = seed
                isSimulationAsked = true
            case "--replay": flags.replay = value
            case "--script": flags.script = value
            case "--compression":
                guard value == "on" || value == "off" else {
                    throw Problem(sentence: "--compression is on or off, not '\(value)'")
                }
                flags.compresses = value == "on"
            case "--balance", "--tier", "--limits":
                try flags.readTrading(name, value)
                isTradingAsked = true
            case "--generate":
                guard let text = Program.Text(rawValue: value) else {
                    throw Problem(sentence: "--generate is man, bash, zsh or fish, not '\(value)'")
                }
                return .generate(text)
            case "--speed":
                guard let speed = Double(value), speed >= 0, speed <= Self.speedMax else {
                    throw Problem(sentence: "--speed must be a number from 0 to \(Int(Self.speedMax)), not '\(value)'")
                }
                flags.speed = speed
                isSpeedAsked = true
            default: preconditionFailure("\(name) is in the table, and nobody reads it")
            }
        }
        if flags.replay != nil && isSimulationAsked {
            throw Problem(
                sentence:
                    "--replay serves a recording; --markets, --listing, --rate, --volatility, --bursts and --seed make "
                    + "traffic up: choose one")
        }
        if flags.replay != nil && isTradingAsked {
            throw Problem(
                sentence: "--replay serves a recording; --balance, --tier and --limits are for traders: choose one")
        }
        flags.desk.seed = flags.settings.seed
        if flags.settings.listing == .full {
            if !isMarketCountAsked { flags.settings.marketCount = SimulatedVenue.Settings.fullMarketCountDefault }
            guard flags.settings.marketCount >= SimulatedVenue.Settings.fullMarketCountMin else {
                throw Problem(
                    sentence:
                        "--listing full needs --markets \(SimulatedVenue.Settings.fullMarketCountMin) or more")
            }
        }
        if flags.replay == nil && isSpeedAsked {
            throw Problem(sentence: "--speed is the speed of --replay, which is missing")
        }
        return isPrintAsked ? .printConfiguration(flags) : .run(flags)
    }

    /// Reads a flag of those who trade.
    private mutating func readTrading(_ name: String, _ value: String) throws(Problem) {
        switch name {
        case "--balance":
            let most = Int(Desk.startingBalanceMax.micros / Decimal6.scale)
            self.desk.startingBalance = Money(
                micros: Int64(try Self.number(value, of: name, 0...most)) * Decimal6.scale)
        case "--tier":
            guard let tier = RateTier(rawValue: value) else {
                let names = RateTier.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(sentence: "--tier is one of \(names), not '\(value)'")
            }
            self.desk.tier = tier
        default:
            guard value == "warn" || value == "enforce" else {
                throw Problem(sentence: "--limits is warn or enforce, not '\(value)'")
            }
            self.desk.enforcesRateLimits = value == "enforce"
        }
    }

    /// The settings as one line of JSON; what does not apply is `null`.
    var line: String {
        let isSimulated = self.replay == nil
        let members: [(String, JSONValue)] = [
            ("port", .number("\(self.port)")),
            ("markets", isSimulated ? .number("\(self.settings.marketCount)") : .null),
            ("listing", isSimulated ? .string(self.settings.listing.rawValue) : .null),
            ("rate", isSimulated ? .number("\(self.settings.rate)") : .null),
            ("volatility", isSimulated ? .number(Decimal6.text(self.settings.volatility)) : .null),
            ("bursts", isSimulated ? .number("\(self.settings.burstSpacing)") : .null),
            ("seed", isSimulated ? .number("\(self.settings.seed)") : .null),
            ("replay", self.replay.map { .string($0) } ?? .null),
            ("speed", isSimulated ? .null : .number("\(self.speed)")),
            ("script", self.script.map { .string($0) } ?? .null),
            ("compression", .string(self.compresses ? "on" : "off")),
            ("balance", isSimulated ? .number(self.desk.startingBalance.description) : .null),
            ("tier", isSimulated ? .string(self.desk.tier.rawValue) : .null),
            ("limits", isSimulated ? .string(self.desk.enforcesRateLimits ? "enforce" : "warn") : .null),
        ]
        var writer = JSONWriter()
        writer.object {
            for (name, value) in members {
                $0.key(dynamic: name)
                value.write(to: &$0)
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private static func number(_ text: String, of name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw Problem(
                sentence:
                    "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return value
    }
}
