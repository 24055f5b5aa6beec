import Glibc
import Shared
import Testing

/// `stratd export` and `polybot export`, as a person types them.
@Suite struct ExportTests {
    private static let market = "0x" + String(repeating: "0", count: 63) + "1"
    private static let token = "7"
    private static let hash = "0x" + String(repeating: "ab", count: 32)
    private static let header =
        "time,order,hash,trade,strategy,market,token,side,price,size,money,fee,liquidity,settlement"
    private static let row =
        #"2026-05-12T00:00:05Z,o1,\#(hash),"'=cmd|' /C calc'!A0,""x""",maker,\#(market),\#(token),buy,0.4,10,4,0.01,taker,confirmed"#

    /// A ledger's file with one fill, whose trade has a name that a spreadsheet would run.
    private static var lines: String {
        let time = Timestamp(rfc3339: "2026-05-12T00:00:05Z")!.microseconds
        let order =
            #"{"order":"o1","hash":"\#(hash)","strategy":"maker","market":"\#(market)","token":"\#(token)","side":"buy","price":400000,"size":10000000,"filled":0,"kind":"gtc","post_only":false,"state":"intended","mode":"paper","time":\#(time)}"#
        let fill =
            #"{"order":"o1","hash":"\#(hash)","trade":"=cmd|' /C calc'!A0,\"x\"","strategy":"maker","market":"\#(market)","token":"\#(token)","side":"buy","price":400000,"size":10000000,"money":4000000,"fee":10000,"liquidity":"taker","settlement":"confirmed","time":\#(time)}"#
        return [
            #"{"type":"checkpoint","time":\#(time),"ledger":{"cash":1000000000,"next_order":1}}"#,
            #"{"type":"intent","time":\#(time),"intent":{"order":\#(order),"event":"event","outcome":0,"fee_reserve":0}}"#,
            #"{"type":"state","time":\#(time),"order":"o1","state":"sent"}"#,
            #"{"type":"fill","time":\#(time),"fill":\#(fill)}"#,
        ].map { $0 + "\n" }.joined()
    }

    private func run(
        _ program: String, _ arguments: [String], in directory: TemporaryDirectory
    ) async throws -> (ending: RunningProgram.Ending, output: String, errors: String) {
        let command = try RunningProgram(Programs.path(of: program), ["export"] + arguments, in: directory.path)
        let ending = try await command.waitForEnd()
        return (ending, command.text(of: .output), command.text(of: .errors))
    }

    @Test(arguments: ["stratd", "polybot"])
    func aTableIsWrittenByWhicheverProgramIsAsked(program: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write("ledger-2026-05-12.jsonl", Self.lines + #"{"type":"fi"#)
        let state = ["--state-dir", directory.path]
        let fills = try await self.run(program, ["fills", "--csv"] + state, in: directory)
        #expect(fills.ending == .exited(0) && fills.errors.isEmpty, "\(fills.errors)")
        #expect(fills.output == "\(Self.header)\r\n\(Self.row)\r", "\(fills.output)")
        let none = try await self.run(program, ["fills", "--from", "2026-05-13"] + state, in: directory)
        #expect(none.ending == .exited(0) && none.output == Self.header + "\r", "\(none.output)\(none.errors)")
        let positions = try await self.run(program, ["positions"] + state, in: directory)
        #expect(positions.output.hasSuffix("\r\nmaker,\(Self.market),7,0,10,0.4,4,0,0.01\r"), "\(positions.output)")
        let pnl = try await self.run(program, ["pnl", "--from=2026-05-12", "--to=2026-05-12"] + state, in: directory)
        #expect(pnl.output.hasSuffix("\r\n2026-05-12,maker,\(Self.market),0,0.01,0,0\r"), "\(pnl.output)")
    }

    @Test func stratdTradesOnMeanwhile() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("ledger-2026-05-12.jsonl", Self.lines)
        let daemon = try RunningProgram(
            Programs.path(of: "stratd"),
            ["--state-dir", directory.path, "--runtime-dir", directory.path, "--log-format", "text"], in: directory.path
        )
        _ = try await daemon.line(of: .errors) { $0.contains("Started") }
        let fills = try await self.run("stratd", ["fills", "--state-dir", directory.path], in: directory)
        #expect(fills.ending == .exited(0) && fills.output == "\(Self.header)\r\n\(Self.row)\r", "\(fills.errors)")
        let positions = try await self.run("stratd", ["positions", "--state-dir", directory.path], in: directory)
        #expect(
            positions.ending == .exited(0) && positions.errors.isEmpty && positions.output.contains(",10,0.4,4,0,0.01"))
        #expect(daemon.ending == nil)
        #expect(try await daemon.stop() == .exited(0), "\(daemon.report)")
    }

    @Test func whatIsWrongIsSaidAndNothingIsMade() async throws {
        let directory = try TemporaryDirectory()
        let state = directory.file("none")
        let away = try await self.run("stratd", ["pnl", "--state-dir", state], in: directory)
        #expect(
            away.ending == .exited(69) && away.output.isEmpty
                && away.errors.contains("There is no ledger of paper trading in \(state)"))
        #expect(directory.names.isEmpty)
        for (arguments, sentence) in [
            ([], "After export comes one of fills, positions, pnl."),
            (["orders"], "After export comes one of fills, positions, pnl, not \"orders\"."),
            (["pnl", "--from", "yesterday"], "--from needs a day such as 2026-05-12."),
            (["pnl", "--to", "2026-02-30"], "--to needs a day such as 2026-05-12."),
            (["pnl", "--from", "2026-05-13", "--to", "2026-05-12"], "--from must not be after --to."),
            (["pnl", "--mode", "dry"], "--mode is one of paper, live."),
            (["pnl", "--log-level", "debug"], "There is no flag \"--log-level\"."),
        ] {
            let wrong = try await self.run("stratd", arguments, in: directory)
            #expect(wrong.ending == .exited(64) && wrong.errors.contains(sentence), "\(wrong.errors)")
        }
        try directory.write("ledger-2026-05-12.jsonl", Self.lines + "nonsense\n")
        let broken = try await self.run("stratd", ["fills", "--state-dir", directory.path], in: directory)
        #expect(broken.ending == .exited(77) && broken.output.isEmpty && broken.errors.contains("cannot be believed"))
        // A disk without room is not taken for the end of the table.
        try directory.write("ledger-2026-05-12.jsonl", Self.lines)
        let full = try RunningProgram(
            "/bin/sh", ["-c", #""$0" export fills --state-dir . > /dev/full"#, Programs.path(of: "stratd")],
            in: directory.path)
        #expect(try await full.waitForEnd() == .exited(69), "\(full.report)")
        let help = try await self.run("stratd", ["--help"], in: directory)
        #expect(help.ending == .exited(0) && help.output.contains("Usage: stratd export fills|positions|pnl [--csv]"))
    }
}
