import Shared

extension Configuration {
    /// The manual page polybot.toml(5), with every key.
    public static var manual: String {
        let defaults = Configuration()
        var keys: [ManualPage.Block] = [
            .paragraph(
                """
                Each key with its default, what it means and what is allowed.
                Its variable in the environment is POLYBOT_ and the key's path in capital letters, \
                POLYBOT_RISK_MAX_ORDER_USD for [risk] max_order_usd.
                """)
        ]
        var sections: [String] = []
        for key in ConfigurationKey.all where !sections.contains(key.section) { sections.append(key.section) }
        for section in sections {
            keys.append(.heading("[\(section)]"))
            keys.append(
                .items(
                    ConfigurationKey.all.filter { $0.section == section }.map { key in
                        var text = "\(key.summary).\nAllowed: \(key.kind.allowed).\nEnvironment: \(key.environmentName)"
                        if !key.predecessors.isEmpty {
                            text += ", formerly " + key.predecessors.joined(separator: ", ")
                        }
                        return .init(["\(key.name) = \(Self.toml(key.read(defaults)))"], text + ".")
                    }))
        }
        return ManualPage(
            name: "polybot.toml", section: 5, summary: "configuration of polybot's daemons and command",
            sections: [
                .init("DESCRIPTION", [.paragraph(Self.manualDescription)]),
                .init("KEYS", keys),
                .init("ENVIRONMENT", [.paragraph(Self.manualEnvironment), .items(Self.manualVariables)]),
                .init(
                    "FILES",
                    [
                        .items([
                            .init(
                                ["$POLYBOT_CONFIG", "./polybot.toml", "/etc/polybot/polybot.toml"],
                                "Where the file is looked for when --config names none; the first that exists counts."),
                            .init(
                                [".env"], "Beside the configuration, or in the working directory where there is none."),
                            .init(
                                ["$CREDENTIALS_DIRECTORY/private_key", "$CREDENTIALS_DIRECTORY/api_credentials"],
                                "The secrets of the account, for stratd alone."),
                            .init(
                                ["$CREDENTIALS_DIRECTORY/readonly_api_credentials"],
                                "Credentials that may only read, for feedd alone: for the venue's price stream."),
                        ])
                    ]),
                .init(
                    "EXAMPLES",
                    [
                        .example(
                            """
                            [scanner]
                            keywords = ["bitcoin", "ethereum"]
                            max_markets = 25

                            [risk]
                            max_order_usd = 10
                            """)
                    ]),
                .init("SEE ALSO", [.paragraph("polybot(1), feedd(8), scannerd(8), stratd(8)")]),
            ]
        ).mdoc
    }

    private static let manualDescription = """
        One file in TOML for all daemons and the command; without one, the defaults hold.
        Unknown keys, wrong types and values out of range are refused with the file, the key, what was found, what is \
        allowed and the nearest known key.
        What is said in several places is decided by the first of these: the command line, the environment, a .env file \
        beside the configuration, the configuration, the default.
        A daemon reads it once, at its start; its flag --check-config says what is wrong, and ends.
        """

    private static let manualEnvironment = """
        Values are written as in the file, without quotes; lists are separated by commas.
        A .env file holds lines of NAME=value.
        It is not read under systemd, where a file beside the configuration must not change a service.
        Names of the Python predecessor, which are given with the keys above, keep working; where a key's own name is set as \
        well, that one counts.
        """

    private static let manualVariables: [ManualPage.Item] =
        [.init(["POLYBOT_CONFIG"], "The file to read.")]
        + ConfigurationPredecessor.all.filter { $0.key == nil }.map {
            .init([$0.name], "\($0.meaning).\n\($0.effect).")
        }
}
