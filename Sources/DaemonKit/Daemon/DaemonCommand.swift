import CLinux
import Glibc
public import Shared

/// Something that a daemon's program does once, in a terminal, while no daemon need run: `stratd cancel-all`.
///
/// It takes the daemon's flags for configuration and state, and its own. What it has to say goes to standard output, a line each; why it failed to
/// standard error, with the exit code.
public struct DaemonCommand: Sendable {
    public struct Context: Sendable {
        public let configuration: Configuration
        public let environment: [String: String]
        /// Exists, and belongs to this user, unless the command only reads: then nothing was looked at.
        public let stateDirectory: String
        /// The word after the command's name; empty where it takes none.
        public var operand: String { self.operands.first ?? "" }
        /// The words after the command's name.
        public let operands: [String]
        /// What was said to the command's own flags, by their names; empty text for a flag that takes no value.
        public let flags: [String: String]
        /// Writes a line to standard output.
        public let tell: @Sendable (String) -> Void
        /// Writes a line to standard error, behind the program's name.
        public let warn: @Sendable (String) -> Void

        /// Writes bytes to standard output.
        ///
        /// - Throws: code 69 when it does not take all of them.
        public func write(_ bytes: [UInt8]) throws(DaemonExit) {
            do throws(SystemError) { try JournalFile.write(bytes, to: 1, with: Glibc.write) } catch {
                throw DaemonExit(.unreachable, "Standard output does not take everything: \(error).")
            }
        }
    }

    /// Which of the daemons' flags it takes.
    static let flagNames: Set<String> = ["--config", "--state-dir", "--help"]

    public let name: String
    /// For help and manual: without a full stop.
    public let summary: String
    /// One of these words must follow its name; empty for a command that takes none.
    let operands: [String]
    /// Or so many words of any kind: what each is called, in capitals.
    let freeOperands: [String]
    /// Exit codes that it has besides those of all commands: "1 something is different".
    let ownExits: [String]
    /// What it takes besides the daemons' flags.
    let ownFlags: [ProgramFlag]
    /// Whether it only reads the state directory, which is not made then where it is missing.
    let isReader: Bool
    let perform: @Sendable (Context) async throws(DaemonExit) -> Void

    public init(
        _ name: String, _ summary: String, operands: [String] = [], freeOperands: [String] = [],
        ownFlags: [ProgramFlag] = [], ownExits: [String] = [], isReader: Bool = false,
        perform: @escaping @Sendable (Context) async throws(DaemonExit) -> Void
    ) {
        self.name = name
        self.summary = summary
        self.operands = operands
        self.freeOperands = freeOperands
        self.ownExits = ownExits
        self.ownFlags = ownFlags
        self.isReader = isReader
        self.perform = perform
    }

    /// As it is typed: "export fills|positions|pnl".
    var usage: String {
        let words = self.operands.isEmpty ? [] : [self.operands.joined(separator: "|")]
        return ([self.name] + words + self.freeOperands).joined(separator: " ")
    }

    /// Takes the words that follow its name off the front of `arguments`.
    func takeOperands(_ arguments: inout ArraySlice<String>) -> [String] {
        var words: [String] = []
        let count = self.operands.isEmpty ? self.freeOperands.count : 1
        while words.count < count, let word = arguments.first, !word.hasPrefix("-") {
            words.append(word)
            arguments.removeFirst()
        }
        return words
    }

    /// - Throws: code 64 when there are fewer words than it needs, or others than may be there.
    func check(_ words: [String]) throws(DaemonExit) {
        if words.count < self.freeOperands.count {
            throw DaemonExit(.usage, "After \(self.name) comes \(self.freeOperands.joined(separator: " ")).")
        }
        guard self.operands.isEmpty || self.operands.contains(words.first ?? "") else {
            let said = words.first.map { ", not \"\(ConfigurationText.cut($0))\"" } ?? ""
            throw DaemonExit(
                .usage, "After \(self.name) comes one of \(self.operands.joined(separator: ", "))\(said).")
        }
    }

    /// Runs it on the calling thread.
    func run(_ context: Context) throws(DaemonExit) {
        // Whatever it is a command of: it may read a secret.
        try ProcessSettings.forbidDumps()
        let loop: EventLoop
        do { loop = try EventLoop() } catch { throw DaemonExit(.bug, "The event loop cannot be made: \(error).") }
        let outcome = Outcome()
        Task.detached(executorPreference: loop) {
            do throws(DaemonExit) { try await self.perform(context) } catch { outcome.failure = error }
            loop.execute { loop.stop() }
        }
        loop.run()
        if let failure = outcome.failure { throw failure }
    }

    /// Written on the loop, read when it has ended.
    private final class Outcome: @unchecked Sendable { var failure: DaemonExit? }
}
