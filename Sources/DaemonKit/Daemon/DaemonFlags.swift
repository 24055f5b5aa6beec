import Logging
public import Shared

/// The flags that every daemon takes.
public struct DaemonFlags: Equatable, Sendable {
    /// What the flags ask for, the most harmless last: where several are asked for, the last counts.
    public enum Action: Equatable, Sendable {
        case run, checkConfiguration
        case generate(Program.Text)
        case printVersion, printHelp

        fileprivate var rank: Int {
            switch self {
            case .run: 0
            case .checkConfiguration: 1
            case .generate: 2
            case .printVersion: 3
            case .printHelp: 4
            }
        }
    }

    public var action = Action.run
    public var configurationPath: String?
    public var runtimeDirectory: String?
    public var stateDirectory: String?
    public var peersDirectory: String?
    /// A swift-log level's name. It reaches the configuration as `logging.level`.
    public var logLevel: String?
    public var logFormat = LogFormat.auto
    /// What was said to the daemon's own flags, by their names.
    public var own: [String: String] = [:]

    /// A flag, and what it does. `apply` gets the value, or empty text where the flag takes none.
    private struct Row: Sendable {
        let flag: ProgramFlag
        let apply: @Sendable (inout DaemonFlags, String) throws(DaemonExit) -> Void
    }

    private static let rows: [Row] = [
        Row(
            flag: ProgramFlag(
                "--config", value: "FILE",
                "read this polybot.toml (else $POLYBOT_CONFIG, ./polybot.toml, /etc/polybot/polybot.toml)",
                completion: .file)
        ) { flags, value in flags.configurationPath = value },
        Row(
            flag: ProgramFlag(
                "--runtime-dir", value: "DIR", "where sockets live (else $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR/polybot)",
                completion: .directory)
        ) { flags, value in flags.runtimeDirectory = value },
        Row(
            flag: ProgramFlag(
                "--state-dir", value: "DIR", "where journals live (else $STATE_DIRECTORY, $XDG_STATE_HOME/polybot)",
                completion: .directory)
        ) { flags, value in flags.stateDirectory = value },
        Row(
            flag: ProgramFlag(
                "--peers-dir", value: "DIR", "where the other daemons' sockets are (else where this one's is)",
                completion: .directory)
        ) { flags, value in flags.peersDirectory = value },
        Row(
            flag: ProgramFlag(
                "--log-level", value: "LEVEL", "the least important lines: \(Self.names(Logger.Level.self))",
                completion: .words(Logger.Level.allCases.map(\.rawValue)))
        ) { (flags, value) throws(DaemonExit) in
            flags.logLevel = try Self.choice("--log-level", Logger.Level.self, value.lowercased()).rawValue
        },
        Row(
            flag: ProgramFlag(
                "--log-format", value: "FORM",
                "\(Self.names(LogFormat.self)): auto is the journal under systemd, else text",
                completion: .words(LogFormat.allCases.map(\.rawValue)))
        ) { (flags, value) throws(DaemonExit) in
            flags.logFormat = try Self.choice("--log-format", LogFormat.self, value)
        },
        Row(flag: ProgramFlag("--check-config", "say what is wrong with the configuration, and end")) { flags, _ in
            flags.ask(.checkConfiguration)
        },
        Row(flag: ProgramFlag("--version", "print the version, and end")) { flags, _ in flags.ask(.printVersion) },
        Row(flag: ProgramFlag("--help", short: "-h", "print this, and end")) { flags, _ in flags.ask(.printHelp) },
        Row(
            flag: ProgramFlag("--generate", value: "TEXT", "print a text that an installation needs", isHidden: true)
        ) { (flags, value) throws(DaemonExit) in
            flags.ask(.generate(try Self.choice("--generate", Program.Text.self, value)))
        },
    ]

    /// The table of flags, for a daemon's help, manual page and completions.
    static let table = Self.rows.map(\.flag)

    /// Reads the arguments after the program's name. `--flag value` and `--flag=value` are the same.
    ///
    /// - Parameters:
    ///   - ownFlags: what this daemon takes besides, each with a value.
    ///   - names: the flags that may stand here; `nil` for all.
    /// - Throws: `DaemonExit` with code 64 and a sentence.
    public init(
        _ arguments: some Sequence<String>, ownFlags: [ProgramFlag] = [], among names: Set<String>? = nil
    ) throws(DaemonExit) {
        let rows =
            Self.rows.filter { names?.contains($0.flag.name) ?? true }
            + ownFlags.map { flag in Row(flag: flag) { flags, value in flags.own[flag.name] = value } }
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let isLong = argument.hasPrefix("--")
            let name = isLong ? parts[0] : argument
            let attached = isLong && parts.count == 2 ? parts[1] : nil
            guard let row = rows.first(where: { $0.flag.name == name || $0.flag.short == name }) else {
                let known = rows.map(\.flag).filter { !$0.isHidden }.map(\.name)
                let nearest = ConfigurationText.nearest(to: name, among: known).map { " Did you mean \($0)?" } ?? ""
                throw DaemonExit(.usage, "There is no flag \"\(ConfigurationText.cut(name))\".\(nearest) See --help.")
            }
            if row.flag.value == nil {
                guard attached == nil else { throw DaemonExit(.usage, "\(name) takes no value.") }
                try row.apply(&self, "")
            } else {
                guard let value = attached ?? rest.popFirst(), !value.isEmpty else {
                    throw DaemonExit(.usage, "\(name) needs a value after it: \(row.flag.usage).")
                }
                try row.apply(&self, value)
            }
        }
    }

    private mutating func ask(_ action: Action) {
        if action.rank > self.action.rank { self.action = action }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ flag: String, _ type: Choice.Type, _ text: String
    ) throws(DaemonExit) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text) else {
            throw DaemonExit(
                .usage, "\(flag) is one of \(Self.names(type)), not \"\(ConfigurationText.cut(text))\".")
        }
        return choice
    }

    private static func names<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> String
    where Choice.RawValue == String {
        Choice.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
