import Glibc

@testable import DaemonKit

/// The last piece of the way to the venue, with one fault for each connection: see `Peers/faulty_line.py`.
final class FaultyLine: Sendable {
    let program: RunningProgram
    let port: Int
    private let directory: TemporaryDirectory

    /// - Parameter steps: the fault of each connection; the last serves all that follow.
    init(_ steps: [String]) async throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        self.program = try RunningProgram(
            Programs.python, [Programs.peer("faulty_line.py"), directory.file("venue")] + steps)
        guard let port = Int(try await self.program.line(of: .output) { _ in true }) else {
            throw WaitedInVain(description: self.program.report)
        }
        self.port = port
    }

    /// To be called before anything passes.
    func leads(to venue: Int) throws { try self.directory.write("venue", "\(venue)") }

    /// When each connection came, in seconds.
    var arrivals: [Double] {
        self.program.text(of: .output).split(separator: "\n").dropFirst().filter { !$0.hasPrefix("#") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    }
}
