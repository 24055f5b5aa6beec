import DaemonKit
import Shared

/// `stratd cancel-all`: cancels all orders of the account, and does not rest before the venue says that nothing is open. No daemon
/// need run; one that does may place new orders meanwhile: halt it first.
///
/// One request ends everything; where the venue does not do that, the open orders are read and cancelled by their hashes.
struct CancelAll {
    private static let pauseFirst = Duration.milliseconds(250)
    private static let pauseMax = Duration.seconds(5)

    private(set) var session: AccountSession
    /// How long it is tried.
    private(set) var timeMax = Duration.seconds(120)
    private(set) var cancelledCount = 0

    /// - Throws: code 69 when the venue cannot be reached or does not obey in time, 77 when it refuses.
    mutating func run(using random: inout some RandomNumberGenerator) async throws(DaemonExit) {
        let deadline = Instant.now() + self.timeMax
        var backoff = Backoff(first: Self.pauseFirst, longest: Self.pauseMax)
        while true {
            var pause = Duration.zero
            do throws(ClobFailure) {
                let known = try await self.login()
                try await self.cancel(known)
                let open = try await self.session.clob.openOrders(known, now: .now())
                guard !open.orders.isEmpty || open.unreadCount > 0 else {
                    return self.session.tell("\(self.cancelledCount) orders were cancelled, nothing is open")
                }
                if !open.orders.isEmpty { self.session.tell("\(open.orders.count) orders are open still") }
                if open.unreadCount > 0 {
                    self.session.tell(
                        "\(open.unreadCount) orders are told in a form that cannot be read, and may be open")
                }
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

    private mutating func cancel(_ credentials: AccountCredentials) async throws(ClobFailure) {
        do throws(ClobFailure) {
            return self.take(try await self.session.clob.cancelAll(credentials, now: .now()))
        } catch {
            if case .unauthorized = error { throw error }
            // Ending everything costs as much as the cancels that it makes, which may be more than the venue ever allows at once.
            self.session.tell("\(error); the orders are cancelled by their hashes")
        }
        let hashes = try await self.session.clob.openOrders(credentials, now: .now()).orders.map(\.hash)
        var limit = TokenBucket(
            rate: OrderDesk.cancelRate.perSecond, burst: OrderDesk.cancelRate.burst, now: .now())
        for start in stride(from: 0, to: hashes.count, by: OrderDesk.cancelCountMax) {
            let chunk = Array(hashes[start...].prefix(OrderDesk.cancelCountMax))
            if let wait = limit.wait(for: Int64(chunk.count), now: .now()) { try? await Task.sleep(for: wait) }
            _ = limit.take(Int64(chunk.count), now: .now())
            self.take(try await self.session.clob.cancel(chunk, credentials, now: .now()))
        }
    }

    private mutating func take(_ answer: ClobClient.Cancellation) {
        for (order, reason) in answer.notCancelled.sorted(by: { $0.key < $1.key }) {
            self.session.tell("order \(order) was not cancelled: \(reason.isEmpty ? "no reason is given" : reason)")
        }
        self.cancelledCount += answer.cancelled.count
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
