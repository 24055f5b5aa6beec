import Shared

extension Program {
    /// A daemon as its user meets it: the flags that all have, and what is true of each.
    ///
    /// - Parameters:
    ///   - summary: what it does, to follow its name.
    ///   - ownFlags: what it takes besides.
    ///   - commands: what it does once.
    static func daemon(
        _ name: String, _ summary: String, _ ownFlags: [ProgramFlag] = [], _ commands: [DaemonCommand] = []
    ) -> Program {
        let codes: [(code: DaemonExit.Code, text: String)] = [
            (.stopped, "stopped as asked"), (.usage, "wrong usage"), (.bug, "a bug, or a stop that never ended"),
            (.temporary, "what it needs is gone; systemd starts it anew to get it back"),
            (.refused, "refused: permissions, or a place from which trading is not allowed"),
            (.configuration, "wrong configuration; systemd does not start it again"),
        ]
        return Program(
            name: name, section: 8, summary: summary, flags: ownFlags + DaemonFlags.table,
            sections: [
                .init(
                    "DESCRIPTION",
                    [
                        .paragraph(
                            """
                            One of the daemons of polybot.
                            In a terminal it runs in the foreground, logs readable lines to standard error and stops \
                            cleanly on Ctrl-C, SIGTERM or SIGHUP.
                            Under systemd it tells when it is useful, what it does and that it is alive.
                            A venue that cannot be reached is a state, never the end of the process.
                            """)
                    ])
            ]
                + (commands.isEmpty
                    ? []
                    : [
                        .init(
                            "COMMANDS",
                            [
                                .paragraph("With one of these words as its first argument it does that, and ends."),
                                .items(commands.map { .init([$0.usage], "\($0.summary).") }),
                            ])
                    ]) + [
                    .init(
                        "ENVIRONMENT",
                        [
                            .paragraph("Every key of the configuration has a variable; see polybot.toml(5)."),
                            .items([
                                .init(["POLYBOT_CONFIG"], "The configuration file, where --config names none."),
                                .init(
                                    ["RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"],
                                    "Set by systemd: where sockets, journals and secrets are."),
                                .init(
                                    ["XDG_RUNTIME_DIR", "XDG_STATE_HOME"],
                                    "Outside systemd: sockets and journals are in a directory polybot below these."),
                            ]),
                        ]),
                    .init(
                        "FILES",
                        [
                            .items([
                                .init(["/etc/polybot/polybot.toml"], "The configuration of the system's daemons."),
                                .init(
                                    ["\(name).sock"],
                                    "In the runtime directory: frames for other programs, length-prefixed JSON."),
                            ])
                        ]),
                    .init("EXIT STATUS", [.items(codes.map { .init(["\($0.code.rawValue)"], $0.text + ".") })]),
                    .init("SEE ALSO", [.paragraph("polybot(1), polybot.toml(5)")]),
                ],
            closing: commands.map { "\(name) \($0.usage): \($0.summary).\n" }.joined() + """
                In a terminal it runs in the foreground and stops on Ctrl-C.
                Exit codes: 0 stopped as asked, 64 wrong usage, 70 a bug, 75 to be started anew,
                77 refused, 78 wrong configuration.
                """)
    }

    /// What a daemon's program does once.
    static func command(_ command: DaemonCommand, of name: String) -> Program {
        Program(
            name: "\(name) \(command.usage)", section: 8, summary: command.summary,
            flags: command.ownFlags + DaemonFlags.table.filter { DaemonCommand.flagNames.contains($0.name) },
            sections: [],
            closing:
                "Exit codes: 0 it is done, \(command.ownExits.map { $0 + ", " }.joined())64 wrong usage, 69 what must be reached is not there, 77 refused, 78 wrong configuration."
        )
    }
}
