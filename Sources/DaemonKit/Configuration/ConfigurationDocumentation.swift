import Shared

extension Configuration {
    /// A `polybot.toml` with every key, what it means and what is allowed. The keys are commented out: a default that a
    /// later version changes is to hold for who never set it.
    public static var documentation: String {
        let defaults = Configuration()
        var text = """
            # polybot.toml: every key with its default. To set one, take away the # before it.
            #
            # Found by --config, $POLYBOT_CONFIG, ./polybot.toml, /etc/polybot/polybot.toml; without one, these defaults hold.
            # Command line over environment over .env (beside this file, not under systemd) over this file over defaults.

            """
        var section = ""
        for key in ConfigurationKey.all {
            if key.section != section {
                section = key.section
                text += "\n[\(section)]\n"
            }
            text += "# \(key.summary).\n# Allowed: \(key.kind.allowed). Environment: \(key.environmentName)"
            if !key.predecessors.isEmpty { text += ", formerly " + key.predecessors.joined(separator: ", ") }
            text += ".\n#\(key.name) = \(Self.toml(key.read(defaults)))\n"
        }
        return text
    }

    static func toml(_ value: ConfigurationValue) -> String {
        switch value {
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .decimal(let micros): Decimal6.text(micros)
        case .text(let text): "\"\(text)\""
        case .list(let texts): "[" + texts.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        }
    }
}
