import ArgumentParser
import DaemonKit
import Glibc
import Shared

/// One command to stratd and its answer.
struct OperatorRequest {
    /// How long stratd may take to answer.
    private static let answerTimeMax = Duration.seconds(5)

    let type: FrameType
    var members: [String: JSONValue] = [:]

    /// Sends it, and waits for the answer.
    ///
    /// - Returns: what stratd answers, where it answers more than yes.
    /// - Throws: code 69 when nobody answers, 77 when this user may not, 1 when stratd says no.
    func send(_ directories: DirectoryOptions) throws -> JSONValue? {
        var connection = try TapConnection(path: try directories.socketDirectory() + "/stratd.sock")
        defer { connection.close() }
        var members = self.members
        members["id"] = .number("1")
        let frame = EncodedFrame(type: self.type, body: .object(members), sentTime: .now())
        var outcome: ResultBody.Outcome?
        let ending = connection.follow([frame], until: .now() + Self.answerTimeMax) { envelope, _ in
            if let result = try? envelope.decode(ResultBody.self), result.id == 1 { outcome = result.outcome }
            return outcome == nil
        }
        switch (outcome, ending) {
        case (.ok(let value), _): return value
        case (.failed(.notAllowed, let message), _): throw DaemonExit(.refused, "\(message).")
        case (.failed(_, let message), _):
            StandardStreams.write("polybot: stratd says no: \(message)\n", to: 2)
            throw ExitCode.failure
        case (nil, .lost(let reason)): throw DaemonExit(.unreachable, "stratd did not answer: \(reason).")
        case (nil, .timeOver), (nil, .enough): throw DaemonExit(.unreachable, "stratd did not answer in time.")
        }
    }
}
