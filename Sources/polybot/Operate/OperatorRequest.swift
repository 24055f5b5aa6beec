import ArgumentParser
import DaemonKit
import Glibc
import Shared

/// One command to stratd and its answer.
struct OperatorRequest {
    /// How long stratd may take to answer.
    private static let answerTimeMax = Duration.seconds(5)

    /// What stratd answered, and which one it was.
    struct Answer {
        /// Where it answers more than yes.
        let value: JSONValue?
        /// The directory of its socket.
        let directory: String
        /// `nil` where it did not tell.
        let mode: TradingMode?

        /// "paper trading in /run/polybot": for whoever meant another one.
        var place: String { "\(self.mode.map { "\($0.rawValue) trading" } ?? "stratd") in \(self.directory)" }

        /// Tells a person what was done, and where.
        func tell(_ sentence: String) { StandardStreams.write("\(sentence) (\(self.place))\n", to: 1) }
    }

    let type: FrameType
    var members: [String: JSONValue] = [:]

    /// Sends it to the stratd that is meant, and waits for the answer.
    ///
    /// - Throws: code 64 when it is not clear which stratd is meant, 69 when nobody answers, 77 when this user may not, 1
    ///   when stratd says no.
    func send(_ directories: DirectoryOptions) throws -> Answer {
        try self.send(in: try directories.strategyDirectory())
    }

    /// As above, to the stratd whose socket is in `directory`.
    func send(in directory: String) throws -> Answer {
        var connection = try TapConnection(path: directory + "/stratd.sock")
        defer { connection.close() }
        var members = self.members
        members["id"] = .number("1")
        // The command goes first; who subscribes is told at once how stratd trades.
        let requests = [
            EncodedFrame(type: self.type, body: .object(members), sentTime: .now()),
            EncodedFrame(Subscribe(id: 2, markets: .all), sentTime: .now()),
        ]
        var outcome: ResultBody.Outcome?
        var mode: TradingMode?
        let ending = connection.follow(requests, until: .now() + Self.answerTimeMax) { envelope, _ in
            switch FrameType(rawValue: envelope.type) {
            case .result:
                if let result = try? envelope.decode(ResultBody.self), result.id == 1 { outcome = result.outcome }
            case .balance: mode = (try? envelope.decode(BalanceBody.self))?.mode
            default: break
            }
            if case .failed? = outcome { return false }
            return outcome == nil || mode == nil
        }
        switch (outcome, ending) {
        case (.ok(let value), _): return Answer(value: value, directory: directory, mode: mode)
        case (.failed(.notAllowed, let message), _): throw DaemonExit(.refused, "\(message).")
        case (.failed(_, let message), _):
            StandardStreams.write("polybot: stratd in \(directory) says no: \(message)\n", to: 2)
            throw ExitCode.failure
        case (nil, .lost(let reason)):
            throw DaemonExit(.unreachable, "stratd in \(directory) did not answer: \(reason).")
        case (nil, .timeOver), (nil, .enough):
            throw DaemonExit(.unreachable, "stratd in \(directory) did not answer in time.")
        }
    }
}
