import ArgumentParser
import DaemonKit
import Shared

/// `polybot scan-markets`: what scannerd would watch, and why it would not.
struct ScanMarketsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan-markets",
        abstract: "Reads the venue's listing and shows which markets would be watched. Needs no daemon.",
        discussion: """
            Uses [venue] and [scanner] of the configuration. With --json each market is one line, the body of a \
            market_added frame; with --why the line is {"slug","watched","reason","sentence"}.
            """)

    private static let slugWidth = 44

    @Flag(help: "JSON lines instead of a table.")
    var json = false
    @Option(
        parsing: .upToNextOption, help: "Only markets that have one of these words; instead of the configured ones.")
    var keyword: [String] = []
    @Option(help: "Markets shown at most; instead of scanner.max_markets.")
    var limit: Int?
    @Option(help: "Tell why the market of this slug is watched or not.")
    var why: String?
    @OptionGroup var configurationOptions: ConfigurationOptions

    func validate() throws {
        if let limit = self.limit, !(1...2_000).contains(limit) {
            throw ValidationError("--limit must be from 1 to 2000.")
        }
    }

    func run() throws {
        let configuration = try self.configurationOptions.load()
        var filter = MarketFilter(configuration.scanner)
        if !self.keyword.isEmpty { filter.keywords = self.keyword }
        if let limit = self.limit { filter.marketCountMax = limit }
        let listing = MarketListing(configuration.venue)
        if let why = self.why {
            try self.explain(why, listing, filter)
        } else {
            try self.list(try listing.read(filter), filter)
        }
    }

    // MARK: The list

    private func list(_ listing: Listing, _ filter: MarketFilter) throws {
        var universe = Universe(filter: filter)
        _ = universe.update(listing.candidates, now: .now())
        let markets = universe.markets.values.sorted { ($0.endTime, $0.condition) < ($1.endTime, $1.condition) }
        var text: [UInt8] = []
        if self.json {
            for market in markets {
                var writer = JSONWriter()
                MarketAdded(market: market).write(to: &writer)
                text += writer.bytes + [UInt8(ascii: "\n")]
            }
        } else {
            let now = Timestamp.now()
            var lines = [Self.row("market", "ends in", "tick", "min", "outcomes", "question")]
            for market in markets {
                lines.append(
                    Self.row(
                        market.slug, Self.timeLeft(market.endTime - now), market.tick.description,
                        market.sizeMin.description, "\(market.first.label)/\(market.second.label)", market.question))
            }
            let refused = listing.refused.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                "\($0.value) \($0.key)"
            }
            lines.append(
                "\(markets.count) markets of \(listing.listedCount) listed"
                    + (refused.isEmpty ? "." : "; refused: \(refused.joined(separator: ", ")).")
                    + " --why SLUG tells the reason of one.")
            text = Array(lines.map { $0 + "\n" }.joined().utf8)
        }
        StandardStreams.write(text)
    }

    private static func row(
        _ slug: String, _ left: String, _ tick: String, _ sizeMin: String, _ outcomes: String, _ question: String
    ) -> String {
        Text.left(slug, Self.slugWidth) + Text.right(left, 8) + Text.right(tick, 8) + Text.right(sizeMin, 5) + "  "
            + Text.left(outcomes, 10) + "  " + Text.fitted(question, 60)
    }

    private static func timeLeft(_ left: Duration) -> String {
        let seconds = left.components.seconds
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }

    // MARK: One market

    private func explain(_ slug: String, _ listing: MarketListing, _ filter: MarketFilter) throws {
        guard MarketListing.isSlug(slug) else {
            throw DaemonExit(.usage, "--why \(slug) is no slug: letters, digits, dots and dashes.")
        }
        guard let value = try listing.market(slug: slug) else {
            throw DaemonExit(.unreachable, "The venue lists no market called \(slug).")
        }
        var refusal = Self.refusal(of: value, filter)
        if refusal == nil { refusal = try Self.confirmationRefusal(of: value, listing) }
        if refusal == nil {
            // Good enough by itself; whether others are better is seen beside them only.
            var universe = Universe(filter: filter)
            _ = universe.update(try listing.read(filter).candidates, now: .now())
            if !universe.markets.values.contains(where: { $0.slug == slug }) { refusal = .outranked }
        }
        let sentence = refusal?.sentence ?? "It is watched: \(Self.admission(of: value, filter))."
        guard self.json else {
            StandardStreams.write("\(slug): \(refusal.map { "\($0.rawValue): " } ?? "")\(sentence)\n")
            return
        }
        var writer = JSONWriter()
        writer.object {
            $0.key("slug")
            $0.string(slug)
            $0.key("watched")
            $0.bool(refusal == nil)
            $0.key("reason")
            if let refusal { $0.string(refusal.rawValue) } else { $0.null() }
            $0.key("sentence")
            $0.string(sentence)
        }
        StandardStreams.write(writer.bytes + [UInt8(ascii: "\n")])
    }

    private static func admission(of value: JSONValue, _ filter: MarketFilter) -> String {
        let now = Timestamp.now()
        guard let candidate = try? GammaMarket.candidate(value, now: now) else { return "it was until now" }
        return Universe(filter: filter).admission(candidate, now: now)
    }

    /// What the order book service has against it.
    private static func confirmationRefusal(of value: JSONValue, _ listing: MarketListing) throws -> Refusal? {
        guard let market = try? GammaMarket.read(value, now: .now()) else { return nil }
        guard let answer = try listing.terms(market.condition), let terms = try? ClobTerms(answer), terms.acceptsOrders
        else { return .unconfirmed }
        return terms.agrees(with: market) ? nil : .termsDiffer
    }

    private static func refusal(of value: JSONValue, _ filter: MarketFilter) -> Refusal? {
        let now = Timestamp.now()
        do throws(Refusal) {
            return Universe(filter: filter).refusal(try GammaMarket.candidate(value, now: now), now: now)
        } catch {
            return error
        }
    }
}
