import Shared

/// The command line. Own code: simvenue stays free of the daemons' libraries, and has nine flags.
struct Flags: Hashable, Sendable {
    enum Command: Hashable, Sendable {
        case run(Flags)
        case help
        case version
    }

    struct Problem: Error, Hashable, Sendable {
        let sentence: String
    }

    static let usage = """
        USAGE: simvenue [--port N] [--markets N] [--rate N] [--seed N]
               simvenue [--port N] --replay FILE [--speed X]

        A prediction-market venue on loopback: Gamma, the order book service's public reads and the market channel, all
        on one port. Prints {"ready":true,"port":N} on standard output when it listens.

        --port N       Port on 127.0.0.1; 0, the default, takes any free one.
        --markets N    Tradable markets at any time, 1 to 2000. Default 30.
        --rate N       Messages a second over all markets, 0 to 1000000. Default 200.
        --seed N       The same seed gives the same markets and traffic. Default 7.
        --replay FILE  Serve a recording instead: JSON lines {"f","recv_ms","raw"}, or one frame.
        --speed X      Speed of the recording; 0 sends as fast as it is read. Default 1.
        --help         This text.
        --version      The version.

        """
    static let version = "simvenue 0.1.0"
    static let speedMax = 1_000_000.0

    var port = 0
    var settings = SimulatedVenue.Settings()
    var replay: String?
    var speed = 1.0

    static func parse(_ arguments: [String]) throws(Problem) -> Command {
        var flags = Flags()
        var isSimulationAsked = false
        var isSpeedAsked = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = halves[0]
            if name == "--help" || name == "-h" { return .help }
            if name == "--version" { return .version }
            guard ["--port", "--markets", "--rate", "--seed", "--replay", "--speed"].contains(name) else {
                throw Problem(sentence: "unknown argument '\(argument)'; see simvenue --help")
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
            case "--rate":
                flags.settings.rate = try Self.number(value, of: name, 0...SimulatedVenue.Settings.rateMax)
                isSimulationAsked = true
            case "--seed":
                guard let seed = UInt64(value) else {
                    throw Problem(sentence: "--seed must be a whole number from 0 to \(UInt64.max), not '\(value)'")
                }
                flags.settings.seed = seed
                isSimulationAsked = true
            case "--replay": flags.replay = value
            default:
                guard let speed = Double(value), speed >= 0, speed <= Self.speedMax else {
                    throw Problem(sentence: "--speed must be a number from 0 to \(Int(Self.speedMax)), not '\(value)'")
                }
                flags.speed = speed
                isSpeedAsked = true
            }
        }
        if flags.replay != nil && isSimulationAsked {
            throw Problem(
                sentence: "--replay serves a recording; --markets, --rate and --seed make traffic up: choose one")
        }
        if flags.replay == nil && isSpeedAsked {
            throw Problem(sentence: "--speed is the speed of --replay, which is missing")
        }
        return .run(flags)
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
