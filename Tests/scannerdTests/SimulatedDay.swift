import Glibc
import Shared
import Testing

@testable import scannerd
@testable import simvenue

/// simvenue's own pages, as bytes, in a time that the test moves; with faults on their way.
final class SimulatedDay {
    /// How an answer is spoilt.
    enum Trouble: CaseIterable {
        case tooManyRequests, unavailable, cut, empty, repeatedCursor, loop
    }

    private var venue: SimulatedVenue
    private var batch = MessageBatch()
    private var random: SeededRandom
    /// Of hundred answers so many are spoilt.
    var troublePercent = 0
    private(set) var troubles: [Trouble: Int] = [:]
    private var firstCursor: String?

    init(at time: Timestamp, marketCount: Int, seed: UInt64) {
        var settings = SimulatedVenue.Settings()
        settings.listing = .full
        settings.marketCount = marketCount
        settings.rate = 0
        self.venue = SimulatedVenue(settings, at: time.microseconds / 1_000)
        self.random = SeededRandom(seed: seed)
    }

    func answer(_ request: ScanRequest, at time: Timestamp) -> ScanAnswer {
        self.batch.clear()
        self.venue.advance(to: time.microseconds / 1_000, messageCountMax: .max, into: &self.batch)
        guard let page = PageRequest(method: "GET", target: request.path) else { return .failed("no path of a venue") }
        let answer =
            switch request.service {
            case .gamma: GammaPages.answer(page, self.venue.listing)
            case .clob: ClobPages.answer(page, self.venue.listing, time: time.microseconds / 1_000)
            }
        guard let answer else { return .failed("no page of simvenue") }
        if answer.status == 404 { return .missing }
        guard answer.status == 200 else { return .failed("answered with status \(answer.status)") }
        guard Int.random(in: 0..<100, using: &self.random) < self.troublePercent else {
            return self.read(answer.body, request)
        }
        let trouble = Trouble.allCases.randomElement(using: &self.random)!
        self.troubles[trouble, default: 0] += 1
        return self.spoil(answer.body, request, page, trouble)
    }

    private func read(_ body: [UInt8], _ request: ScanRequest) -> ScanAnswer {
        do {
            guard let names = request.memberNames else { return .value(try JSONValue(parsing: body)) }
            let value = try JSONValue(parsing: body, keeping: names)
            if case .page(_, nil) = request.subject { self.firstCursor = value["next_cursor"]?.string }
            return .value(value)
        } catch {
            return .failed("holds \(error)")
        }
    }

    private func spoil(
        _ body: [UInt8], _ request: ScanRequest, _ page: PageRequest, _ trouble: Trouble
    ) -> ScanAnswer {
        switch trouble {
        case .tooManyRequests: return .failed("answered with status 429")
        case .unavailable: return .failed("answered with status 503")
        case .cut: return self.read(Array(body.prefix(body.count / 2)), request)
        case .empty: return self.read(Array(#"{"markets":[]}"#.utf8), request)
        case .repeatedCursor, .loop:
            guard case .page = request.subject, case .value(let value) = self.read(body, request),
                let cursor = trouble == .loop ? self.firstCursor : page.value("after_cursor")
            else { return self.read(body, request) }
            var members = value.object ?? [:]
            members["next_cursor"] = .string(cursor)
            return .value(.object(members))
        }
    }
}

/// Which windows there are, by the system's time-zone database and not by any code of the project.
struct WindowTable {
    struct Row: Hashable {
        let slug: String
        let start: Timestamp
        let end: Timestamp
    }

    static let python = getenv("POLYBOT_TEST_PYTHON").map { String(cString: $0) } ?? "python3"
    static let isHere = run("\(python) -c 'import zoneinfo; zoneinfo.ZoneInfo(\"America/New_York\")'") != nil

    /// By series, in the order of time.
    let rows: [String: [Row]]

    init(from begin: Timestamp, minutes: Int, of series: [String]) throws {
        let script = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let words = ["\(script)/Peers/windows.py", String(begin.rfc3339.prefix(19)), "\(minutes)"] + series
        let text = try #require(Self.run("\(Self.python) \(words.joined(separator: " "))"))
        var rows: [String: [Row]] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            let (start, end) = (try #require(Int64(parts[2])), try #require(Int64(parts[3])))
            rows[String(parts[0]), default: []].append(
                Row(slug: String(parts[1]), start: Timestamp(seconds: start), end: Timestamp(seconds: end)))
        }
        self.rows = rows
    }

    /// The window that runs, and the one after it.
    func pair(_ series: String, at time: Timestamp) throws -> (present: Row, next: Row) {
        let rows = try #require(self.rows[series])
        let place = try #require(rows.firstIndex { $0.start <= time && time < $0.end })
        return (rows[place], rows[place + 1])
    }

    /// - Returns: what the command prints; `nil` when it fails.
    private static func run(_ command: String) -> String? {
        guard let pipe = popen("PYTHONDONTWRITEBYTECODE=1 " + command + " 2>/dev/null", "re") else { return nil }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { bytes += buffer[..<count] }
        return pclose(pipe) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
