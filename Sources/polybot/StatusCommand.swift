import ArgumentParser
import DaemonKit
import Shared

/// `polybot status`: what the daemons say of themselves, once.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows once what the running daemons do.",
        discussion: """
            Asks scannerd, feedd and stratd on their sockets and waits two seconds at most. With --json the answer is one \
            line, an object with the members that polybot run --help lists. The exit code is 0 when every daemon answers \
            and books are trusted, 1 when not, 69 when no daemon answers.
            """)

    /// How long the daemons may take to tell all; they report each second.
    private static let timeMax = Duration.seconds(2)
    /// Columns and lines of the picture where no terminal gives a size.
    private static let width = 100
    private static let height = 30

    @Flag(help: "One line of JSON.")
    var json = false
    @OptionGroup var directories: DirectoryOptions

    func run() throws {
        let directory = try self.directories.runtimeDirectory()
        let picture: Picture
        do {
            picture = try Self.look(into: directory)
        } catch {
            throw DaemonExit(.bug, "The event loop cannot be made: \(error).")
        }
        let silent = ChildName.daemons.filter { picture.lines[$0]?.isConnected != true }
        guard silent.count < ChildName.daemons.count else {
            throw DaemonExit(
                .unreachable,
                "No daemon answers in \(directory): start them with polybot run, or say where they are with --runtime-dir."
            )
        }
        var problems = silent.map { "\($0) does not answer." }
        if picture.trusted == 0 { problems.append("No book is trusted.") }
        let summary = Summary(
            isOK: problems.isEmpty, venue: "unknown", error: problems.isEmpty ? nil : problems.joined(separator: " "))
        if self.json {
            StandardStreams.write(summary.json(picture))
        } else {
            self.show(picture, directory, problems)
        }
        if !problems.isEmpty { throw ExitCode(1) }
    }

    private static func look(into directory: String) throws(SystemError) -> Picture {
        let loop = try EventLoop()
        let clients = PictureClients(loop: loop, runtimeDirectory: directory)
        var refused: Set<ChildName> = []
        clients.onFrame = { if clients.picture.isComplete { loop.stop() } }
        clients.onDisconnected = { daemon in
            refused.insert(daemon)
            if refused.count == ChildName.daemons.count { loop.stop() }
        }
        loop.after(Self.timeMax) { loop.stop() }
        for daemon in ChildName.daemons { clients.start(daemon) }
        loop.run()
        let picture = clients.picture
        clients.onFrame = {}
        clients.onDisconnected = { _ in }
        clients.stop()
        return picture
    }

    private func show(_ picture: Picture, _ directory: String, _ problems: [String]) {
        var rows: [ChildName: RunView.Child] = [:]
        for daemon in ChildName.daemons {
            let line = picture.lines[daemon]
            rows[daemon] = RunView.Child(state: line?.isConnected == true ? "running" : "no answer", pid: line?.pid)
        }
        let view = RunView(
            venue: directory, elapsed: nil, mode: picture.balance?.mode, children: rows,
            note: "")
        var lines = StatusScreen.render(picture, view, width: Self.width, height: Self.height)
        // Lines that only filled a screen are left out.
        while let last = lines.last, last.isEmpty { lines.removeLast() }
        StandardStreams.write((lines + problems).map { $0 + "\n" }.joined())
    }
}
