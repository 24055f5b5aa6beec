import ArgumentParser
import Shared
import Testing

@testable import polybot

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("20s", .seconds(20)), ("1.5s", .milliseconds(1_500)),
        ("2m", .seconds(120)), ("0.25m", .seconds(15)), ("1h", .seconds(3_600)), ("720h", .seconds(2_592_000)),
        ("0.001s", .milliseconds(1)),
    ])
    func aDurationIsANumberAndAUnit(text: String, duration: Duration) throws {
        #expect(try DurationText.parse(text) == duration)
    }

    @Test(arguments: [
        "", "20", "s", "-5s", "5 s", "5S", "1.2.3s", ".5s", "1.2345s", "5d", "0s", "0.0001ms", "721h",
        "999999999999h", "99999999999999999999s", "٢s",
    ])
    func anythingElseIsRefusedWithASentence(text: String) {
        let error = #expect(throws: ValidationError.self) { try DurationText.parse(text) }
        #expect(error?.message.hasPrefix("'\(text)' is") == true)
        #expect(error?.message.hasSuffix(".") == true)
    }
}
