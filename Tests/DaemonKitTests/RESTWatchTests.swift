import Shared
import Testing

@testable import DaemonKit

/// What the watchdog asks of the requests' thread.
@Suite struct RESTWatchTests {
    @Test func anIdleThreadAnswersAndAWedgedOneDoesNot() async throws {
        let client = try RESTClient()
        let start = Instant.now()
        #expect(client.isAdvancing(now: start), "nobody has asked yet")
        // Asked an hour ago and not answered would be false.
        let hasAnswered = await DaemonTest.eventually { client.isAdvancing(now: start + .seconds(3_600)) }
        #expect(hasAnswered)
        client.wedgeForDrill()
        // A last answer may be on its way: each look is a day later.
        var days: Int64 = 0
        let hasFallenSilent = await DaemonTest.eventually {
            days += 1
            return !client.isAdvancing(now: start + .seconds(86_400 * days))
        }
        #expect(hasFallenSilent)
        let request = Task { try await client.request(RESTRequest(url: "http://127.0.0.1:9/")) }
        client.stop()
        let error = await #expect(throws: RESTError.self) { try await request.value }
        #expect(error?.reason == .stopped)
        #expect(client.isAdvancing(now: .now() + .seconds(3_600)), "what was stopped is not stuck")
    }
}
