import ArgumentParser
import DaemonKit
import Shared

/// `polybot status`: what the daemons say of themselves, once.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows once what the running daemons do.",
        discussion: """
            Asks scannerd, feedd and stratd on their sockets and waits two seconds at most. Without --runtime-dir these \
            are in the user's own directory, or, where nobody answers there, in \(SocketDirectory.ofUnits), which is that \
            of systemd's units; the first line says which. For the latter systemd is asked too: how each unit is and \
            since when, its process, restarts, memory and what it last said, and whether the daemon that answers is the \
            unit's own process.

            With --json the answer is one line, an object with the members that polybot run --help lists. The exit code \
            is 0 when every daemon answers and books are trusted, 1 when not, 69 when no daemon answers and systemd has \
            none but stopped units.
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
        let directory = try self.directories.socketDirectory()
        let picture: Picture
        do {
            picture = try Self.look(into: directory)
        } catch {
            throw DaemonExit(.bug, "The event loop cannot be made: \(error).")
        }
        // After the daemons: a process that has just been replaced would be taken for somebody else's.
        let report = StatusReport(
            picture: picture, directory: directory,
            systemd: SocketDirectory.isOfUnits(directory) ? Systemctl.ask() : Systemctl.Answer(), now: .now())
        guard !report.isNothingThere else { throw DaemonExit(.unreachable, report.nothing) }
        let problems = report.problems
        if self.json {
            let summary = Summary(
                isOK: problems.isEmpty, venue: "unknown",
                error: problems.isEmpty ? nil : problems.joined(separator: " "),
                status: report)
            StandardStreams.write(summary.json(picture))
        } else {
            self.show(report)
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

    private func show(_ report: StatusReport) {
        let view = RunView(
            venue: report.directory, elapsed: nil, mode: report.picture.balance?.mode, children: report.rows,
            units: report.units, note: "")
        var lines = StatusScreen.render(
            report.picture, view, width: Self.width, height: Self.height + report.units.count)
        // Lines that only filled a screen are left out.
        while let last = lines.last, last.isEmpty { lines.removeLast() }
        StandardStreams.write((lines + report.problems + report.notes).map { $0 + "\n" }.joined())
    }
}
