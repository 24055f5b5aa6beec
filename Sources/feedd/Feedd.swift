import DaemonKit
import Shared

@main
struct Feedd {
    private static let flags = [
        ProgramFlag(
            "--replay", value: "DIR",
            "publish a raw journal in the place of what the venue sends, from the first subscriber's coming to its end",
            completion: .directory),
        ProgramFlag(
            "--speed", value: "X",
            "of --replay: recorded seconds in one second, or max, as fast as the slowest subscriber reads; default 1"),
    ]

    static func main() {
        Daemon.main("feedd", "keeps the order books of the watched markets and publishes them", ownFlags: Self.flags) {
            context in try FeedService(context, replay: Self.replay(context.flags))
        }
    }

    /// - Throws: code 64 for a speed that is none, or a directory without a journal.
    static func replay(_ flags: [String: String]) throws(DaemonExit) -> (files: JournalFiles, speed: ReplaySpeed)? {
        guard let path = flags["--replay"] else {
            guard flags["--speed"] == nil else {
                throw DaemonExit(.usage, "--speed is the speed of --replay, which is missing.")
            }
            return nil
        }
        let text = flags["--speed"] ?? "1"
        guard let speed = ReplaySpeed(text) else {
            throw DaemonExit(.usage, "--speed is max or a number from 0.001 to 1000000, not \"\(text)\".")
        }
        do throws(JournalFiles.Problem) { return (try JournalFiles(path, name: RawJournal.name), speed) } catch {
            throw DaemonExit(.usage, "--replay: \(error).")
        }
    }
}
