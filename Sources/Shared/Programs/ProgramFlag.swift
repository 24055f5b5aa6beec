/// One flag of a program's command line. A parser, `--help`, the manual page and the shells' completions are all made of
/// it, so none of them can tell of a flag that another does not know.
public struct ProgramFlag: Hashable, Sendable {
    /// What a shell offers after the flag.
    public enum Completion: Hashable, Sendable {
        case nothing, file, directory
        case words([String])
    }

    /// "--config".
    public let name: String
    /// "-h".
    public let short: String?
    /// What stands for the value in texts, "FILE"; `nil` for a flag that takes none.
    public let value: String?
    /// One line for people, without a full stop at its end.
    public let summary: String
    public let completion: Completion
    /// Whether only the parser knows it: what an installation needs, and nobody else.
    public let isHidden: Bool

    public init(
        _ name: String, short: String? = nil, value: String? = nil, _ summary: String,
        completion: Completion = .nothing, isHidden: Bool = false
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.summary = summary
        self.completion = completion
        self.isHidden = isHidden
    }

    /// "--config FILE".
    public var usage: String { self.value.map { "\(self.name) \($0)" } ?? self.name }
}
