import Shared
import Testing

@testable import stratd

/// What the Data API says of its own delay.
@Suite struct DataStatusTests {
    private func behind(_ text: String) throws -> Duration? { DataStatus(try JSONValue(parsing: text.utf8))?.behind }

    @Test func theSlowestPartCounts() throws {
        // As it was served in September 2026, shortened.
        let text = """
            {"data":{"computed_at":"2026-09-14T10:24:36Z","age_seconds":24,"serving":{"lag_seconds":4,"worst":"activity_feed",
            "mechanisms":[{"name":"activity_feed","age_seconds":4},
            {"name":"custody_balances","age_seconds":0,"blocks_behind":833},{"name":"pnl","age_seconds":1,"blocks_behind":1}]},
            "ingestion":{"cursors":148,"most_lagged":{"source":"auto_redeem_binary_redemption","block":93784294,"behind_max":1}}}}
            """
        #expect(try self.behind(text) == .seconds(24 + 833 * 2))
        #expect(try self.behind(#"{"data":{"serving":{"lag_seconds":7}}}"#) == .seconds(7))
        #expect(
            try self.behind(#"{"data":{"serving":{},"ingestion":{"most_lagged":{"behind_max":5}}}}"#) == .seconds(10))
    }

    @Test(arguments: [
        "[]", "{}", #"{"data":{}}"#, #"{"data":{"serving":{}}}"#, #"{"data":{"serving":{"lag_seconds":null}}}"#,
        #"{"data":{"serving":{"lag_seconds":-1,"mechanisms":[{"age_seconds":"x"},7]}}}"#,
    ])
    func whatTellsNothingIsNone(text: String) throws {
        #expect(try self.behind(text) == nil)
    }

    @Test func whatIsBehindBeyondMeasureIsADay() throws {
        for text in [
            #"{"data":{"age_seconds":9223372036854775807,"serving":{"lag_seconds":9223372036854775807}}}"#,
            #"{"data":{"serving":{"mechanisms":[{"blocks_behind":9223372036854775807}]}}}"#,
        ] {
            #expect(try self.behind(text) == DataStatus.behindMax)
        }
    }
}
