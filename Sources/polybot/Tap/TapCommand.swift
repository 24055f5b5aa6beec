import ArgumentParser
import DaemonKit
import Glibc
import Shared

/// `polybot tap`: a daemon's frames as lines.
struct TapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap",
        abstract: "Writes the frames of a daemon's socket as JSON lines.",
        discussion: """
            Each line is a whole frame as it came, with v, seq, type, sent_time and body. Frames that only keep the \
            connection alive (hello, ping, result) are left out without --raw. A --market is asked of feedd alone, which \
            then sends nothing else; a slug is looked up with scannerd. Without --runtime-dir the daemons are looked for \
            as polybot status does.

            Example: polybot tap feedd --type book,delta --market btc-updown-5m-1790000100 --for 5s
            """)

    /// How long scannerd may take to tell its universe.
    private static let lookupTimeMax = Duration.seconds(2)

    @Argument(help: "A daemon (feedd, scannerd, stratd) or the path of a socket.")
    var source: String
    @Option(name: .customLong("type"), help: "Only these types of frames, separated by commas.")
    var types: String?
    @Option(help: "Only frames of this market: its condition id (0x…) or its slug.")
    var market: String?
    @Option(help: "Of feedd also the reference prices of these, separated by commas: btcusd,ethusd.")
    var prices: String?
    @Option(help: "End after so many lines.")
    var count: Int?
    @Option(name: .customLong("for"), help: "End after this time: 500ms, 20s, 2m, 1h.", transform: DurationText.parse)
    var duration: Duration?
    @Flag(help: "Also frames that keep the connection alive.")
    var raw = false
    @OptionGroup var directories: DirectoryOptions

    func validate() throws {
        if let count = self.count, count < 1 { throw ValidationError("--count must be 1 or more.") }
        if let types = self.types, types.split(separator: ",").isEmpty {
            throw ValidationError("--type names no type; known are \(Self.knownTypes).")
        }
    }

    private static let knownTypes = FrameType.allCases.map(\.rawValue).sorted().joined(separator: ", ")

    func run() throws {
        let directory = try self.directories.socketDirectory()
        let path = self.source.contains("/") ? self.source : "\(directory)/\(self.source).sock"
        let types = Set((self.types ?? "").split(separator: ",").map { String($0.filter { $0 != " " }) })
        for type in types.sorted() where FrameType(rawValue: type) == nil {
            StandardStreams.write(
                "polybot: no frame is called \"\(type)\" in this version; known are \(Self.knownTypes).\n", to: 2)
        }
        var filter = TapFilter(
            types: types, market: try self.market.map { try Self.condition($0, directory: directory) }, isRaw: self.raw)
        var rest = self.count ?? .max
        var line: [UInt8] = []
        var connection = try TapConnection(path: path)
        defer { connection.close() }
        let prices = (self.prices ?? "").split(separator: ",").map { String($0.filter { $0 != " " }) }
        let subscription = Subscribe(
            id: 1, markets: filter.market.map { .only([$0]) } ?? .all, referencePrices: prices)
        let ending = connection.follow(
            subscription, until: self.duration.map { .now() + $0 }, endsWithReader: true
        ) { envelope, frame in
            guard filter.lets(envelope) else { return true }
            line.removeAll(keepingCapacity: true)
            line.append(contentsOf: frame)
            line.append(UInt8(ascii: "\n"))
            rest -= 1
            // Whoever reads may have had enough: that is no error.
            return StandardStreams.write(line) && rest > 0
        }
        if case .lost(let reason) = ending {
            throw DaemonExit(.unreachable, "The connection to \(path) has ended: \(reason).")
        }
    }

    /// The condition that `text` is or that the market of that slug has.
    static func condition(_ text: String, directory: String) throws(DaemonExit) -> ConditionID {
        if text.hasPrefix("0x") {
            guard let condition = ConditionID(text) else {
                throw DaemonExit(.usage, "--market \(text) is no condition id: 0x and 64 hexadecimal digits.")
            }
            return condition
        }
        var found: ConditionID?
        var connection = try TapConnection(path: "\(directory)/scannerd.sock")
        defer { connection.close() }
        let ending = connection.follow(Subscribe(id: 1, markets: .all), until: .now() + Self.lookupTimeMax) {
            envelope, _ in
            guard envelope.type == FrameType.universe.rawValue, let universe = try? envelope.decode(UniverseBody.self)
            else {
                return true
            }
            found = found ?? universe.markets.first { $0.slug == text }?.condition
            return found == nil && universe.part < universe.parts
        }
        if let found { return found }
        if case .enough = ending {
            throw DaemonExit(
                .unreachable, "No watched market is called \(text): polybot tap scannerd --type universe lists all.")
        }
        throw DaemonExit(
            .unreachable, "scannerd did not tell its universe, so \(text) cannot be looked up: give a condition id.")
    }
}
