import Shared
import Signing
import Testing

@testable import simvenue

struct FaultOrderTests {
    private func parse(_ text: String) throws(FaultProblem) -> Fault { try FaultOrder(parsing: Array(text.utf8)).fault }

    private static let address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"

    @Test func everyRowMakesAFaultOfItsOwnFromItsDefaults() throws {
        var faults: Set<Fault> = []
        for row in FaultTable.rows {
            let required = row.parameters.filter(\.isRequired).map { parameter in
                if case .address = parameter.bounds {
                    ",\"\(parameter.name)\":\"\(Self.address)\""
                } else {
                    ",\"\(parameter.name)\":500"
                }
            }.joined()
            faults.insert(try self.parse("{\"do\":\"\(row.name)\"\(required)}"))
        }
        #expect(faults.count == FaultTable.rows.count)
        #expect(Set(FaultTable.rows.map(\.name)).count == FaultTable.rows.count)
    }

    @Test func parametersReachTheirFaults() throws {
        #expect(try self.parse(#"{"do":"drop"}"#) == .drop(code: nil))
        #expect(try self.parse(#"{"do":"drop","code":1001}"#) == .drop(code: 1_001))
        #expect(try self.parse(#"{"pong":true,"do":"silence"}"#) == .silence(seconds: 5, answersPings: true))
        #expect(
            try self.parse(#"{"do":"delay_next","ms":250,"count":3,"market":"a"}"#)
                == .delta(DeltaFault(kind: .late(250), count: 3, market: "a")))
        #expect(
            try self.parse(#"{"do":"http_status","status":429,"retry_after":2,"path":"/book"}"#)
                == .request(RequestFault(kind: .status(429, retryAfter: 2), path: "/book", count: 1)))
        #expect(try self.parse(#"{"do":"tick_size"}"#) == .changeTick(TickSize(micros: 1_000)!, market: nil))
        #expect(try self.parse(#"{"do":"list_market"}"#) == .listMarket)
        #expect(try self.parse(#"{"do":"stale_book","kind":"old"}"#) == .staleBooks(.old, seconds: 5))
        #expect(
            try self.parse(#"{"do":"engine_restart","seconds":3}"#)
                == .desk(.engineRestart(seconds: 3, postOnlySeconds: 120)))
        #expect(try self.parse(#"{"do":"cancel_by_venue"}"#) == .desk(.cancelByVenue(nil)))
        #expect(
            try self.parse(#"{"do":"ban","address":"\#(Self.address)"}"#)
                == .desk(.standing(try #require(Address(Self.address)), .banned)))
        #expect(
            try self.parse(#"{"do":"settlement_fails","seconds":5}"#) == .desk(.settlement(isFinal: true, seconds: 5)))
    }

    @Test(arguments: [
        ("", #"a fault is one JSON object, {"do":"…"} with its parameters"#),
        ("[1]", #"a fault is one JSON object, {"do":"…"} with its parameters"#),
        (#"{"do":7}"#, #"a fault is one JSON object, {"do":"…"} with its parameters"#),
        (#"{"do":"drop","seconds":1}"#, "drop has no parameter 'seconds'; it has code, connection"),
        (#"{"do":"reset","x":1}"#, "reset has no parameter 'x'; it has connection"),
        (#"{"do":"drop","code":999}"#, "code of drop must be a whole number from 1000 to 4999"),
        (#"{"do":"drop","code":"1000"}"#, "code of drop must be a whole number from 1000 to 4999"),
        (#"{"do":"silence","seconds":1.5}"#, "seconds of silence must be a whole number from 0 to 3600"),
        (#"{"do":"silence","pong":"yes"}"#, "pong of silence must be true or false"),
        (#"{"do":"http_status"}"#, "http_status needs status: a whole number from 400 to 599"),
        (#"{"do":"http_slow","path":"book"}"#, "path of http_slow must be a path from \"/\" on, with all below it"),
        (#"{"do":"stale_book","kind":"new"}"#, "kind of stale_book must be \"placeholder\" or \"old\""),
        (#"{"do":"ban","address":"0x12"}"#, "address of ban must be an address, 0x and 40 hex digits"),
        (#"{"do":"cancel_by_venue","order":"0x12"}"#, "order of cancel_by_venue must be an order's hash"),
        (#"{"do":"huge_frame","bytes":99999999}"#, "bytes of huge_frame must be a whole number from 4 to 33554432"),
    ])
    func whatIsWrongIsSaid(text: String, sentence: String) {
        #expect(throws: FaultProblem(sentence)) { try self.parse(text) }
    }

    @Test func anUnknownFaultIsToldTheKnownOnes() {
        do throws(FaultProblem) {
            _ = try self.parse(#"{"do":"dance"}"#)
            Issue.record("accepted")
        } catch {
            #expect(error.sentence.hasPrefix("unknown fault 'dance'; known: drop, reset, "))
            for row in FaultTable.rows { #expect(error.sentence.contains(row.name)) }
        }
    }

    // MARK: Scripts

    @Test func aScriptIsReadLineByLine() throws {
        let text = "{\"at_ms\":0,\"do\":\"drop\"}\n\n{\"do\":\"silence\",\"at_ms\":1500,\"seconds\":2}\n"
        let script = try FaultScript(parsing: Array(text.utf8))
        #expect(script.steps.map(\.offset) == [0, 1_500])
        #expect(script.steps.map(\.order.fault) == [.drop(code: nil), .silence(seconds: 2, answersPings: false)])
        #expect(try FaultScript(parsing: []) == .empty)
    }

    @Test(arguments: [
        (
            "{\"at_ms\":0,\"do\":\"drop\"}\nnonsense",
            #"line 2: a fault is one JSON object, {"do":"…"} with its parameters"#
        ),
        (#"{"do":"drop"}"#, "line 1: at_ms must be a whole number from 0 to 604800000"),
        (#"{"do":"drop","at_ms":-1}"#, "line 1: at_ms must be a whole number from 0 to 604800000"),
        ("\n{\"at_ms\":5,\"do\":\"drop\"}\n{\"at_ms\":4,\"do\":\"drop\"}", "line 3: at_ms must not go back"),
        (#"{"at_ms":5,"do":"drop","at":4}"#, "line 1: drop has no parameter 'at'; it has code, connection"),
    ])
    func aWrongScriptIsRefusedWithItsLine(text: String, sentence: String) {
        #expect(throws: FaultProblem(sentence)) { try FaultScript(parsing: Array(text.utf8)) }
    }

    @Test func aScriptIsBounded() {
        let line = "{\"at_ms\":1,\"do\":\"drop\"}\n"
        let many = String(repeating: line, count: FaultScript.stepCountMax + 1)
        #expect(throws: FaultProblem("line 10001: over 10000 steps")) { try FaultScript(parsing: Array(many.utf8)) }
        let long = [UInt8](repeating: 0x20, count: FaultScript.byteCountMax + 1)
        #expect(throws: FaultProblem("it is over 1048576 bytes")) { try FaultScript(parsing: long) }
    }
}
