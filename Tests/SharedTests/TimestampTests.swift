import Shared
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-05-12T11:10:00Z", 1_778_584_200_000_000),
            ("2026-05-11T11:18:23.695579Z", 1_778_498_303_695_579), ("2026-05-12t11:10:00z", 1_778_584_200_000_000),
            ("2026-05-12 11:10:00+00", 1_778_584_200_000_000), ("2026-05-12T07:10:00-04:00", 1_778_584_200_000_000),
            ("2026-05-12T16:40:00+0530", 1_778_584_200_000_000), ("2026-05-12T11:10:00.5Z", 1_778_584_200_500_000),
            ("2026-05-12T11:10:00.1234567Z", 1_778_584_200_123_456), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("2000-02-29T23:59:59Z", 951_868_799_000_000), ("1969-12-31T23:59:59.999999Z", -1),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999), ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ] as [(String, Int64)])
    func datesOfTheVenueAreRead(text: String, micros: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == micros)
    }

    @Test(arguments: [
        "", "2026", "2026-05-12", "2026-05-12T11:10", "2026-05-12T11:10:00", "2026-05-12T11:10:00.Z",
        "2026-05-12T11:10:00Zz",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-04-31T00:00:00Z", "1900-02-29T00:00:00Z",
        "2026-05-12T24:00:00Z", "2026-05-12T11:60:00Z", "2026-05-12T11:10:61Z", "2026-05-12T11:10:00+",
        "2026-05-12T11:10:00+1",
        "2026-05-12T11:10:00+24:00", "2026-05-12T11:10:00+01:60", "2026-05-12T11:10:00+01:", "26-05-12T11:10:00Z",
        "2026-05-12T11:10:00+01:00:00", "2026/05/12T11:10:00Z", "-026-05-12T11:10:00Z", "２０２６-05-12T11:10:00Z",
    ])
    func otherTextIsRefused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func timesArePrintedInUTCAndReadBack() {
        #expect(Timestamp(seconds: 1_778_584_200).rfc3339 == "2026-05-12T11:10:00Z")
        #expect(Timestamp(milliseconds: 1_778_584_200_007).rfc3339 == "2026-05-12T11:10:00.007000Z")
        #expect(Timestamp(microseconds: -1).rfc3339 == "1969-12-31T23:59:59.999999Z")
        var random = SeededRandom(seed: 4)
        for _ in 0..<5_000 {
            let time = Timestamp(
                microseconds: .random(in: -62_167_219_200_000_000...253_402_300_799_999_999, using: &random))
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
        }
    }

    @Test func everyDayOfFourCenturiesHasItsOwnDate() {
        var last = ""
        let wrong = (Int64(-25_567)...Int64(120_529)).filter { day in
            let text = Timestamp(seconds: day * 86_400).rfc3339
            defer { last = text }
            return last >= text || Timestamp(rfc3339: text) != Timestamp(seconds: day * 86_400)
        }
        #expect(wrong == [])
    }

    @Test func timesAndDurationsAddUp() {
        let start = Timestamp(seconds: 10)
        #expect(start + .milliseconds(1_500) == Timestamp(milliseconds: 11_500))
        #expect(start - Timestamp(milliseconds: 10_250) == .milliseconds(-250))
        let instant = Instant(nanoseconds: 5)
        #expect(instant + .nanoseconds(-6) == Instant(nanoseconds: -1))
        #expect(instant - Instant(nanoseconds: 7) == .nanoseconds(-2))
        #expect(Duration.seconds(2).nanoseconds == 2_000_000_000)
        #expect(Duration.microseconds(-1_999).milliseconds == -1)
        #expect(Duration.milliseconds(250).inSeconds == 0.25)
    }

    /// Whatever a file or the venue says, reckoning with it ends no program.
    @Test func timesThatLieFarApartAreAsFarAsCanBeReckoned() throws {
        let first = try #require(Timestamp(rfc3339: "0001-01-01T00:00:00Z"))
        let last = try #require(Timestamp(rfc3339: "9999-12-31T23:59:59Z"))
        #expect((last - first).nanoseconds == .max && (first - last).nanoseconds == .min)
        #expect((last - first).milliseconds == Int64.max / 1_000_000)
        #expect(Duration.nanoseconds(Int64.max).nanoseconds == .max)
        #expect((Duration.nanoseconds(Int64.max) + .nanoseconds(1)).nanoseconds == .max)
        let (earliest, latest) = (Instant(nanoseconds: .min), Instant(nanoseconds: .max))
        #expect(latest - earliest == .nanoseconds(Int64.max) && earliest - latest == .nanoseconds(Int64.min))
        #expect(latest + .nanoseconds(1) == latest && earliest + .nanoseconds(-1) == earliest)
        let (oldest, newest) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(newest - oldest == .microseconds(Int64.max) && oldest - newest == .microseconds(Int64.min))
        #expect(newest + .microseconds(1) == newest && oldest + .microseconds(-1) == oldest)
    }
}
