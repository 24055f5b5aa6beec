import Shared

/// One key of `polybot.toml`: its path, what it may hold, what it means, and where in `Configuration` it lives.
struct ConfigurationKey: Sendable {
    /// "risk.max_order_usd".
    let path: String
    let kind: ConfigurationKind
    /// One line for people, without a full stop at its end.
    let summary: String
    /// Names in the environment of the Python predecessor.
    let predecessors: [String]
    /// Whether the value must not be shown: it may hold a password.
    let isSecret: Bool
    let read: @Sendable (Configuration) -> ConfigurationValue
    let write: @Sendable (inout Configuration, ConfigurationValue) -> Void

    /// "POLYBOT_RISK_MAX_ORDER_USD".
    var environmentName: String {
        "POLYBOT_" + String(self.path.map { $0 == "." ? "_" : $0 }).uppercased()
    }

    /// "risk", or "strategies.maker".
    var section: String { String(self.path[..<self.path.lastIndex(of: ".")!]) }
    /// "max_order_usd".
    var name: String { String(self.path[self.path.index(after: self.path.lastIndex(of: ".")!)...]) }
}

/// A value that passed its key's `ConfigurationKind`.
enum ConfigurationValue: Equatable, Sendable {
    case bool(Bool)
    case integer(Int64)
    /// Millionths.
    case decimal(Int64)
    case text(String)
    case list([String])
}

// The ways to write a row of the table. Each ties a property's type to the kind that fits it, so a row cannot lie.
extension ConfigurationKey {
    typealias Property<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    private init(
        _ path: String, _ kind: ConfigurationKind, _ summary: String, _ predecessors: [String], isSecret: Bool = false,
        read: @escaping @Sendable (Configuration) -> ConfigurationValue,
        write: @escaping @Sendable (inout Configuration, ConfigurationValue) -> Void
    ) {
        self.path = path
        self.kind = kind
        self.summary = summary
        self.predecessors = predecessors
        self.isSecret = isSecret
        self.read = read
        self.write = write
    }

    static func flag(_ path: String, _ at: Property<Bool>, _ summary: String, was names: [String] = []) -> Self {
        Self(path, .bool, summary, names, read: { .bool($0[keyPath: at]) }) {
            if case .bool(let value) = $1 { $0[keyPath: at] = value }
        }
    }

    static func count(
        _ path: String, _ at: Property<Int>, _ range: ClosedRange<Int64>, _ summary: String, was names: [String] = []
    ) -> Self {
        Self(path, .integer(range), summary, names, read: { .integer(Int64($0[keyPath: at])) }) {
            if case .integer(let value) = $1 { $0[keyPath: at] = Int(value) }
        }
    }

    /// Whole milliseconds.
    static func milliseconds(
        _ path: String, _ at: Property<Duration>, _ range: ClosedRange<Int64>, _ summary: String,
        was names: [String] = []
    ) -> Self {
        Self(path, .integer(range), summary, names, read: { .integer($0[keyPath: at].milliseconds) }) {
            if case .integer(let value) = $1 { $0[keyPath: at] = .milliseconds(value) }
        }
    }

    /// Seconds with at most six places. `milliRange` is in thousandths.
    static func seconds(
        _ path: String, _ at: Property<Duration>, milliRange range: ClosedRange<Int64>, _ summary: String,
        was names: [String] = []
    ) -> Self {
        let micros = range.lowerBound * 1_000...range.upperBound * 1_000
        return Self(path, .decimal(micros), summary, names, read: { .decimal($0[keyPath: at].nanoseconds / 1_000) }) {
            if case .decimal(let value) = $1 { $0[keyPath: at] = .microseconds(value) }
        }
    }

    /// Dollars of pUSD. `milliRange` is in thousandths.
    static func dollars(
        _ path: String, _ at: Property<Money>, milliRange range: ClosedRange<Int64>, _ summary: String,
        was names: [String] = []
    ) -> Self {
        let micros = range.lowerBound * 1_000...range.upperBound * 1_000
        return Self(path, .decimal(micros), summary, names, read: { .decimal($0[keyPath: at].micros) }) {
            if case .decimal(let value) = $1 { $0[keyPath: at] = Money(micros: value) }
        }
    }

    /// Shares. `milliRange` is in thousandths.
    static func shares(
        _ path: String, _ at: Property<Quantity>, milliRange range: ClosedRange<Int64>, _ summary: String,
        was names: [String] = []
    ) -> Self {
        let micros = range.lowerBound * 1_000...range.upperBound * 1_000
        return Self(path, .decimal(micros), summary, names, read: { .decimal($0[keyPath: at].micros) }) {
            if case .decimal(let value) = $1 { $0[keyPath: at] = Quantity(micros: value) }
        }
    }

    static func price(_ path: String, _ at: Property<Price>, _ summary: String, was names: [String] = []) -> Self {
        Self(path, .decimal(1...999_999), summary, names, read: { .decimal(Int64($0[keyPath: at].micros)) }) {
            if case .decimal(let micros) = $1, let value = Price(micros: micros) { $0[keyPath: at] = value }
        }
    }

    /// A share of one, in millionths.
    static func fraction(_ path: String, _ at: Property<Int64>, _ summary: String, was names: [String] = []) -> Self {
        Self(path, .decimal(0...Decimal6.scale), summary, names, read: { .decimal($0[keyPath: at]) }) {
            if case .decimal(let value) = $1 { $0[keyPath: at] = value }
        }
    }

    static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ path: String, _ at: Property<Choice>, _ summary: String, was names: [String] = [],
        aliases: [String: String] = [:]
    ) -> Self where Choice.RawValue == String {
        let kind = ConfigurationKind.choice(Choice.allCases.map(\.rawValue), aliases: aliases)
        return Self(path, kind, summary, names, read: { .text($0[keyPath: at].rawValue) }) {
            if case .text(let text) = $1, let value = Choice(rawValue: text) { $0[keyPath: at] = value }
        }
    }

    static func url(
        _ path: String, _ at: Property<String>, _ schemes: [String], isOptional: Bool = false, _ summary: String,
        was names: [String] = []
    ) -> Self {
        Self(path, .url(schemes: schemes, isOptional: isOptional), summary, names, read: { .text($0[keyPath: at]) }) {
            if case .text(let value) = $1 { $0[keyPath: at] = value }
        }
    }

    static func text(
        _ path: String, _ at: Property<String>, _ summary: String, was names: [String] = []
    ) -> Self {
        Self(path, .text(isOptional: false), summary, names, read: { .text($0[keyPath: at]) }) {
            if case .text(let value) = $1 { $0[keyPath: at] = value }
        }
    }

    /// Empty text means none. Of `kind`, which must allow it.
    static func optional(
        _ path: String, _ at: Property<String?>, _ kind: ConfigurationKind, _ summary: String, was names: [String] = [],
        isSecret: Bool = false
    ) -> Self {
        Self(path, kind, summary, names, isSecret: isSecret, read: { .text($0[keyPath: at] ?? "") }) {
            if case .text(let value) = $1 { $0[keyPath: at] = value.isEmpty ? nil : value }
        }
    }

    static func words(_ path: String, _ at: Property<[String]>, _ summary: String, was names: [String] = []) -> Self {
        Self(path, .list, summary, names, read: { .list($0[keyPath: at]) }) {
            if case .list(let value) = $1 { $0[keyPath: at] = value }
        }
    }
}
