import Shared
import Testing

@testable import simvenue

struct FlagsTests {
    @Test func flagsAreRead() throws {
        #expect(try Flags.parse([]) == .run(Flags()))
        guard
            case .run(let flags) = try Flags.parse(["--port", "8080", "--markets=50", "--rate", "2000", "--seed", "9"])
        else {
            Issue.record("not a run")
            return
        }
        #expect(flags.port == 8_080 && flags.settings == settings(50, rate: 2_000, seed: 9))
        guard case .run(let replay) = try Flags.parse(["--replay", "a.jsonl", "--speed", "0.5"]) else {
            Issue.record("not a run")
            return
        }
        #expect(replay.replay == "a.jsonl" && replay.speed == 0.5)
        guard case .run(let full) = try Flags.parse(["--listing", "full"]),
            case .run(let large) = try Flags.parse(["--markets", "900", "--listing=full"])
        else {
            Issue.record("not a run")
            return
        }
        #expect(full.settings.listing == .full && full.settings.marketCount == 300)
        #expect(large.settings.listing == .full && large.settings.marketCount == 900)
        guard case .run(let wild) = try Flags.parse(["--volatility", "2.5", "--bursts=60"]) else {
            Issue.record("not a run")
            return
        }
        #expect(wild.settings.volatility == 2_500_000 && wild.settings.burstSpacing == 60)
        guard case .run(let scripted) = try Flags.parse(["--script", "faults.jsonl"]) else {
            Issue.record("not a run")
            return
        }
        #expect(scripted.script == "faults.jsonl")
        guard
            case .run(let trading) = try Flags.parse(
                ["--balance", "0", "--tier=Gold", "--limits", "enforce", "--seed", "9"])
        else {
            Issue.record("not a run")
            return
        }
        #expect(trading.desk.startingBalance == .zero && trading.desk.tier == .gold)
        #expect(trading.desk.enforcesRateLimits && trading.desk.seed == 9)
        #expect(try Flags.parse(["--port", "1", "--help"]) == .help)
        #expect(try Flags.parse(["--faults"]) == .faults)
        #expect(try Flags.parse(["faults"]) == .faults)
        #expect(try Flags.parse(["--version"]) == .version)
    }

    @Test(arguments: [
        (
            ["--print-config"],
            #"{"port":0,"markets":30,"listing":"plain","rate":200,"volatility":1,"bursts":0,"seed":7,"#
                + #""replay":null,"speed":null,"script":null,"compression":"off","balance":10000,"tier":"Standard","limits":"warn"}"#
        ),
        (
            [
                "--print-config", "--replay", "a", "--speed", "0.5", "--script", "b", "--port", "80", "--compression",
                "on",
            ],
            #"{"port":80,"markets":null,"listing":null,"rate":null,"volatility":null,"bursts":null,"seed":null,"#
                + #""replay":"a","speed":0.5,"script":"b","compression":"on","balance":null,"tier":null,"limits":null}"#
        ),
    ])
    func theSettingsArePrintedAsOneLine(arguments: [String], line: String) throws {
        guard case .printConfiguration(let flags) = try Flags.parse(arguments) else {
            Issue.record("not printed")
            return
        }
        #expect(flags.line == line + "\n")
    }

    @Test(arguments: [
        (["--port", "99999"], "--port must be a whole number from 0 to 65535, not '99999'"),
        (["--markets", "0"], "--markets must be a whole number from 1 to 2000, not '0'"),
        (["--listing", "all"], "--listing is plain or full, not 'all'"),
        (["--listing", "full", "--markets", "99"], "--listing full needs --markets 100 or more"),
        (["--rate", "fast"], "--rate must be a whole number from 0 to 1000000, not 'fast'"),
        (["--volatility", "21"], "--volatility must be a decimal from 0 to 20, not '21'"),
        (["--volatility", "1e1"], "--volatility must be a decimal from 0 to 20, not '1e1'"),
        (["--bursts", "-1"], "--bursts must be a whole number from 0 to 86400, not '-1'"),
        (["--seed"], "--seed needs a value; see simvenue --help"),
        (["--replay", "a", "--speed", "-1"], "--speed must be a number from 0 to 1000000, not '-1'"),
        (["--replay", "a", "--speed", "nan"], "--speed must be a number from 0 to 1000000, not 'nan'"),
        (
            ["--replay", "a", "--rate", "5"],
            "--replay serves a recording; --markets, --listing, --rate, --volatility, --bursts and --seed make traffic up: "
                + "choose one"
        ),
        (["--compression", "gzip"], "--compression is on or off, not 'gzip'"),
        (["--print-config", "--port", "-1"], "--port must be a whole number from 0 to 65535, not '-1'"),
        (["--script"], "--script needs a value; see simvenue --help"),
        (["--balance", "-1"], "--balance must be a whole number from 0 to 10000000, not '-1'"),
        (
            ["--tier", "gold"],
            "--tier is one of Standard, Copper, Bronze, Silver, Gold, Platinum, Diamond, Elite, not 'gold'"
        ),
        (["--limits", "no"], "--limits is warn or enforce, not 'no'"),
        (
            ["--replay", "a", "--balance", "5"],
            "--replay serves a recording; --balance, --tier and --limits are for traders: choose one"
        ),
        (["--speed", "2"], "--speed is the speed of --replay, which is missing"),
        (["run"], "unknown argument 'run'; see simvenue --help"),
    ])
    func wrongFlagsAreRefusedWithASentence(arguments: [String], sentence: String) {
        do {
            _ = try Flags.parse(arguments)
            Issue.record("accepted")
        } catch { #expect(error.sentence == sentence) }
    }
}
