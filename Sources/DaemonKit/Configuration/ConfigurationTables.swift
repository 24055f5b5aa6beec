import Shared

extension Configuration {
    /// `docs/CONFIGURATION.md`, in Markdown: every key, and what became of the predecessor's names.
    static var tables: String {
        let defaults = Configuration()
        var text = """
            # Configuration

            Made from the code, and compared with it by a test. The same stands in polybot.toml(5), and `polybot generate config`
            writes a file to begin with.

            One `polybot.toml` serves all daemons and the command; without one, the defaults hold. Unknown keys, wrong types and
            values out of range are refused with the file, the key, what was found, what is allowed and the nearest known key.
            `NAME --check-config` says so without starting anything.

            What is said in several places is decided by the first of these: the command line, the environment, a `.env` file beside
            the configuration (not under systemd), the configuration, the default. A key's variable is `POLYBOT_` and its path in
            capital letters: `POLYBOT_RISK_MAX_ORDER_USD`. Lists are separated by commas there.
            A limit that an operator set with `polybot set-limit` goes before all of these, until they say another value than they did then.

            ## Secrets

            They are no keys of the configuration and never shown; stratd alone reads them. Under systemd they are the credentials
            `private_key` (0x and 64 hexadecimal digits) and `api_credentials` (JSON with `apiKey`, `secret`, `passphrase`) of its
            service; elsewhere the files that `trading.private_key_file` and `trading.credentials_file` name, or
            `POLYGON_PRIVATE_KEY` in the environment or in `.env`. Such a file has mode 0600 and belongs to the user. Paper trading
            needs none: a secret that is there and cannot be used is a warning, and the status line names it. Live trading needs the
            key alone, which gets API credentials from the venue; where some are given, they are used, and no others are asked for.

            feedd has one of its own and reads no other: the credential `readonly_api_credentials` of its service, of the same
            form as `api_credentials` and of a key that may only read. With it the venue tells the averages of
            prices that windows settle on; without it they are estimated.

            ## Names of the Python predecessor

            They keep working, in the environment and in `.env`. Where a key's own variable is set in the same place, that one counts.

            | name | key | meaning | effect |
            |---|---|---|---|

            """
        for row in ConfigurationPredecessor.all {
            text += Self.row(["`\(row.name)`", row.key.map { "`\($0.path)`" } ?? "", row.meaning, row.effect])
        }
        text += "\n## Keys\n"
        var section = ""
        for key in ConfigurationKey.all {
            if key.section != section {
                section = key.section
                text += "\n### [\(section)]\n\n| key | default | allowed | meaning |\n|---|---|---|---|\n"
            }
            text += Self.row(["`\(key.name)`", "`\(Self.toml(key.read(defaults)))`", key.kind.allowed, key.summary])
        }
        return text
    }

    private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
}
