import DaemonKit
import Shared

/// `stratd cancel-all`: cancels all orders of the account, and does not rest before the venue says that nothing is open. No daemon
/// need run; one that does may place new orders meanwhile: halt it first.
struct CancelAll {
    private static let pauseFirst = Duration.milliseconds(250)
    private static let pauseMax = Duration.seconds(5)

    private(set) var session: AccountSession
    /// How long it is tried.
    private(set) var timeMax = Duration.seconds(120)

    /// - Throws: code 69 when the venue cannot be reached or does not obey in time, 77 when it refuses.
    mutating func run(using random: inout some RandomNumberGenerator) async throws(DaemonExit) {
        let deadline = Instant.now() + self.timeMax
        var backoff = Backoff(first: Self.pauseFirst, longest: Self.pauseMax)
        var cancelledCount = 0
        while true {
            var pause = Duration.zero
            do throws(ClobFailure) {
                let known = try await self.login()
                cancelledCount += try await self.cancel(known)
                let open = try await self.session.clob.openOrders(known, now: .now())
                guard !open.isEmpty else {
                    return self.session.tell("\(cancelledCount) orders were cancelled, nothing is open")
                }
                self.session.tell("\(open.count) orders are open still")
            } catch {
                if case .unauthorized = error, self.session.credentials != nil, !self.session.hasForgotten {
                    self.session.forget()
                    continue
                }
                guard error.mayPass else { throw DaemonExit(.refused, "Orders may be open still: \(error).") }
                self.session.tell("\(error); it is tried again")
                pause = error.retryAfter ?? .zero
            }
            pause = max(pause, backoff.next(using: &random))
            guard Instant.now() + pause < deadline else {
                throw DaemonExit(.unreachable, "Orders may be open still: the venue did not obey in time. Try again.")
            }
            try? await Task.sleep(for: pause)
        }
    }

    private mutating func login() async throws(ClobFailure) -> AccountCredentials {
        if self.session.credentials == nil {
            let offset = try await self.session.learnClock()
            if self.session.clob.clockOffset != .zero {
                let seconds = offset.milliseconds / 1_000
                self.session.tell("the venue's clock, which is used, differs by \(seconds) s from that of this machine")
            }
        }
        return try await self.session.login()
    }

    /// - Returns: how many orders were cancelled.
    private func cancel(_ credentials: AccountCredentials) async throws(ClobFailure) -> Int {
        let answer = try await self.session.clob.cancelAll(credentials, now: .now())
        for (order, reason) in answer.notCancelled.sorted(by: { $0.key < $1.key }) {
            self.session.tell("order \(order) was not cancelled: \(reason.isEmpty ? "no reason is given" : reason)")
        }
        return answer.cancelled.count
    }

    /// What the command is.
    static let command = DaemonCommand(
        "cancel-all", "cancels all open orders of the account, and ends when the venue says that nothing is open"
    ) { (context) async throws(DaemonExit) in
        var cancel = CancelAll(session: try AccountSession(context))
        defer { cancel.session.end() }
        var random = SystemRandomNumberGenerator()
        try await cancel.run(using: &random)
    }
}
