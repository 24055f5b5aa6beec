import ArgumentParser
import DaemonKit
import Shared

/// `polybot halt`: cancels everything and trades no more.
struct HaltCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halt",
        abstract: "Cancels every order and trades no more until polybot resume.",
        discussion: """
            Survives restarts. Needs the group polybot-operators under systemd. Where stratd does not answer, make the halt \
            file in its state directory, or stop it: both cancel, and polybot cancel-all needs no daemon (with --service, \
            of the system's unit).

            \(DirectoryOptions.ofCommands)
            """)
    @Option(help: "Why, for the log.")
    var reason: String?
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        try OperatorRequest(type: .halt, members: self.reason.map { ["reason": .string($0)] } ?? [:])
            .send(self.directories)
            .tell("halted; polybot resume ends it")
    }
}

/// `polybot resume`: ends a halt.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Ends a halt, if what caused it is over, and takes changed rules of markets as they are.",
        discussion: DirectoryOptions.ofCommands)
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        try OperatorRequest(type: .resume).send(self.directories).tell("resumed")
    }
}

/// `polybot flatten`: leaves every position.
struct FlattenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flatten",
        abstract: "Pauses every strategy, cancels every order and sells what is held to whoever bids.",
        discussion: """
            It sells within the price band and gives up after a minute; polybot unpause lets a strategy quote again.

            \(DirectoryOptions.ofCommands)
            """)
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        let answer = try OperatorRequest(type: .flatten).send(self.directories)
        answer.tell("leaving \(answer.value?["markets"]?.integer ?? 0) markets")
    }
}

/// `polybot pause`: a strategy trades no more.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Cancels a strategy's orders and lets it place none until polybot unpause.",
        discussion: DirectoryOptions.ofCommands)
    @Argument(help: "Its name, such as maker.")
    var strategy: String
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        try OperatorRequest(type: .pauseStrategy, members: ["strategy": .string(self.strategy)])
            .send(self.directories)
            .tell("\(self.strategy) is paused")
    }
}

/// `polybot unpause`: a strategy trades again.
struct UnpauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpause", abstract: "Lets a paused strategy trade again.",
        discussion: DirectoryOptions.ofCommands)
    @Argument(help: "Its name, such as maker.")
    var strategy: String
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        try OperatorRequest(type: .resumeStrategy, members: ["strategy": .string(self.strategy)])
            .send(self.directories)
            .tell("\(self.strategy) runs")
    }
}

/// `polybot set-limit`: changes a limit.
struct SetLimitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-limit",
        abstract: "Changes a limit of the section risk, until the configuration is given another value.",
        discussion: """
            The value is a whole number in the limit's smallest unit: millionths for …_usd, price_band and error_rate_max. \
            Example: polybot set-limit max_order_usd 20000000

            \(DirectoryOptions.ofCommands)
            """)
    @Argument(help: "A key of the section risk, such as max_order_usd.")
    var limit: String
    @Argument(help: "The value.")
    var value: Int64
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        try OperatorRequest(
            type: .setLimit, members: ["limit": .string(self.limit), "value": .number("\(self.value)")]
        ).send(self.directories).tell("\(self.limit) is \(self.value)")
    }
}

/// `polybot explain`: why there is an order in a market, or none.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tells, gate by gate, why a market has an order or none.",
        discussion: """
            What each strategy decided last, and what keeps the market shut. Without a time stratd is asked how things stand; with one \
            its input journal is run again up to then, for which no daemon is needed. The journal of the system's unit is its user's: \
            sudo -u polybot-stratd polybot explain MARKET 11:10:00 --state-dir /var/lib/polybot/stratd.

            \(DirectoryOptions.ofCommands)
            """)
    @Argument(help: "The market's condition id (0x…) or its slug.")
    var market: String
    @Argument(help: "The time, 2026-05-12T11:10:00Z, or 11:10:00 for today, UTC; without it now.")
    var time: String?
    @Flag(help: "As JSON; with a time.")
    var json = false
    @Option(name: .customLong("config"), help: "The configuration file; with a time.")
    var configurationPath: String?
    @Option(help: "Directory of what stratd keeps; with a time.")
    var stateDir: String?
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        if let time = self.time {
            var words = ["explain", self.market, time]
            if self.json { words.append("--json") }
            if let path = self.configurationPath { words += ["--config", path] }
            if let stateDir = self.stateDir { words += ["--state-dir", stateDir] }
            try Executables.becomeStratd(words)
        }
        let directory = try self.directories.strategyDirectory()
        let condition = try TapCommand.condition(self.market, directory: directory)
        let answer = try OperatorRequest(type: .explain, members: ["market": .string(condition.description)])
            .send(in: directory)
        StandardStreams.write(Explanation.text(answer.value ?? .null) + "(\(answer.place))\n", to: 1)
    }
}
