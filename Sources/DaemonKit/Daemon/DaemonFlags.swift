import Logging

/// The flags that every daemon takes.
public struct DaemonFlags: Equatable, Sendable {
    /// What the flags ask for.
    public enum Action: Equatable, Sendable { case run, checkConfiguration, printVersion, printHelp }

    public var action = Action.run
    public var configurationPath: String?
    public var runtimeDirectory: String?
    public var stateDirectory: String?
    /// A swift-log level's name. It reaches the configuration as `logging.level`.
    public var logLevel: String?
    public var logFormat = LogFormat.auto

    /// Reads the arguments after the program's name. `--flag value` and `--flag=value` are the same.
    ///
    /// - Throws: `DaemonExit` with code 64 and a sentence.
    public init(_ arguments: some Sequence<String>) throws(DaemonExit) {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let flag = argument.hasPrefix("--") ? parts[0] : argument
            let attached = argument.hasPrefix("--") && parts.count == 2 ? parts[1] : nil
            func value(_ what: String) throws(DaemonExit) -> String {
                let value = attached ?? rest.popFirst()
                guard let value, !value.isEmpty else { throw DaemonExit(.usage, "\(flag) needs \(what) after it.") }
                return value
            }
            func plain() throws(DaemonExit) {
                guard attached == nil else { throw DaemonExit(.usage, "\(flag) takes no value.") }
            }
            switch flag {
            case "--config": self.configurationPath = try value("a file")
            case "--runtime-dir": self.runtimeDirectory = try value("a directory")
            case "--state-dir": self.stateDirectory = try value("a directory")
            case "--log-level":
                let text = try value("a level").lowercased()
                guard Logger.Level(rawValue: text) != nil else {
                    throw Self.wrong(flag, Logger.Level.self, text)
                }
                self.logLevel = text
            case "--log-format":
                let text = try value("a format")
                guard let format = LogFormat(rawValue: text) else {
                    throw Self.wrong(flag, LogFormat.self, text)
                }
                self.logFormat = format
            case "--check-config":
                try plain()
                if self.action == .run { self.action = .checkConfiguration }
            case "--version":
                try plain()
                if self.action != .printHelp { self.action = .printVersion }
            case "--help", "-h":
                try plain()
                self.action = .printHelp
            default:
                let known = [
                    "--config", "--runtime-dir", "--state-dir", "--log-level", "--log-format", "--check-config",
                    "--version",
                    "--help",
                ]
                let nearest = ConfigurationText.nearest(to: flag, among: known).map { " Did you mean \($0)?" } ?? ""
                throw DaemonExit(.usage, "There is no flag \"\(Self.shown(flag))\".\(nearest) See --help.")
            }
        }
    }

    private static func wrong<Choice: RawRepresentable & CaseIterable>(
        _ flag: String, _ type: Choice.Type, _ text: String
    ) -> DaemonExit where Choice.RawValue == String {
        DaemonExit(.usage, "\(flag) is one of \(Self.names(type)), not \"\(Self.shown(text))\".")
    }

    private static func names<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> String
    where Choice.RawValue == String {
        Choice.allCases.map(\.rawValue).joined(separator: ", ")
    }

    private static func shown(_ text: String) -> String { ConfigurationText.cut(text) }

    /// What `--help` prints.
    public static func help(_ name: String) -> String {
        """
        Usage: \(name) [--config FILE] [--runtime-dir DIR] [--state-dir DIR] [--log-level LEVEL]
               [--log-format auto|journal|json|text] [--check-config] [--version] [--help]

          --config FILE       read this polybot.toml (else $POLYBOT_CONFIG, ./polybot.toml, /etc/polybot/polybot.toml)
          --runtime-dir DIR   where sockets live (else $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR/polybot)
          --state-dir DIR     where journals live (else $STATE_DIRECTORY, $XDG_STATE_HOME/polybot)
          --log-level LEVEL   \(Self.names(Logger.Level.self))
          --log-format FORM   auto: the journal under systemd, else text
          --check-config      say what is wrong with the configuration, and end
          --version           print the version, and end
          --help              print this, and end

        In a terminal it runs in the foreground and stops on Ctrl-C.
        Exit codes: 0 stopped as asked, 64 wrong usage, 70 a bug, 77 refused, 78 wrong configuration.
        """
    }
}
