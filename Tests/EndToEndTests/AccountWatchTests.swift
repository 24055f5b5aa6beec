import Glibc
import Shared
import Testing

@testable import DaemonKit

/// stratd beside the venue's count of its money, while the venue does not answer all that it is asked.
@Suite(.serialized) struct AccountWatchTests {
    /// A ledger that believes in more money than there is.
    private func embellish(_ account: LiveAccount, by micros: Int64) throws {
        let names = try JournalFile.entries(of: account.stateDirectory).sorted()
        let name = try #require(names.first { $0.hasPrefix("ledger-live") && $0.hasSuffix(".jsonl") })
        let file = account.stateDirectory + "/" + name
        let lines = String(decoding: contents(of: file) ?? [], as: UTF8.self).split(separator: "\n")
        var count = 0
        let changed = try lines.map { line -> String in
            guard let record = try? JSONValue(parsing: line.utf8), record["type"]?.string == "funds" else {
                return String(line)
            }
            count += 1
            let money = try #require(record["money"]?.integer)
            return String(line.replacing("\"money\":\(money)", with: "\"money\":\(money + micros)"))
        }
        #expect(count == 1)
        let descriptor = open(file, O_WRONLY | O_TRUNC)
        defer { close(descriptor) }
        let bytes = Array((changed.joined(separator: "\n") + "\n").utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw WaitedInVain(description: file) }
    }

    @Test func aClockThatCannotBeReadHidesNoDifferenceOfTheBalance() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "50"], marketCount: 2)
        let first = try account.start()
        _ = try await first.line(of: .errors) { $0.contains("Live trading is open") }
        try await account.pipeline.control(#"{"do":"pause_traffic"}"#)
        #expect(try await first.stop() == .exited(0), "\(first.report)")
        try self.embellish(account, by: 1_000_000)
        let second = try account.start()
        _ = try await second.line(of: .errors) { $0.contains("Live trading is open") }
        try await account.pipeline.control(#"{"do":"http_status","status":500,"path":"/time","count":10000}"#)
        _ = try await second.line(of: .errors, within: .seconds(120)) {
            $0.contains("Trading is halted") && $0.contains("reason=balance")
        }
        #expect(second.text(of: .errors).contains("The account's balance or the venue's clock could not be read"))
        try await waitFor("no order to be open", state: second.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        #expect(try await second.stop() == .exited(0), "\(second.report)")
        #expect(try account.ledger.halts == ["balance"], "\(second.report)")
    }
}
