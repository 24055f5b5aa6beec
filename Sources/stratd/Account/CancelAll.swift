import DaemonKit
import Shared
import Signing

/// `stratd cancel-all`: cancels all orders of the account, and does not rest before the venue says that nothing is open. No daemon
/// need run; one that does may place new orders meanwhile: halt it first.
struct CancelAll {
    /// How long it is tried.
    static let timeMax = Duration.seconds(120)
    private static let pauseFirst = Duration.milliseconds(250)
    private static let pauseMax = Duration.seconds(5)
    /// The venue allows itself a minute; more is a clock that is wrong.
    private static let clockOffsetMax = Duration.seconds(2)

    let store: CredentialStore
    private(set) var clob: ClobClient
    /// What is told, line by line.
    let tell: (String) -> Void

    init(_ clob: ClobClient, store: CredentialStore, tell: @escaping (String) -> Void) {
        self.clob = clob
        self.store = store
        self.tell = tell
    }

    /// - Throws: code 69 when the venue cannot be reached or does not obey in time, 77 when it refuses.
    mutating func run(using random: inout some RandomNumberGenerator) async throws(DaemonExit) {
        let deadline = Instant.now() + Self.timeMax
        var backoff = Backoff(first: Self.pauseFirst, longest: Self.pauseMax)
        var credentials: AccountCredentials?
        var isRenewed = false
        var cancelledCount = 0
        while true {
            var pause = Duration.zero
            do throws(ClobFailure) {
                let known: AccountCredentials
                if let credentials { known = credentials } else { known = try await self.credentials(isRenewed) }
                credentials = known
                let answer = try await self.clob.cancelAll(known, now: .now())
                cancelledCount += answer.cancelled.count
                for (order, reason) in answer.notCancelled.sorted(by: { $0.key < $1.key }) {
                    self.tell("order \(order) was not cancelled: \(reason.isEmpty ? "no reason is given" : reason)")
                }
                let open = try await self.clob.openOrders(known, now: .now())
                guard !open.isEmpty else {
                    return self.tell("\(cancelledCount) orders were cancelled, nothing is open")
                }
                self.tell("\(open.count) orders are open still")
            } catch {
                if case .unauthorized = error, credentials != nil, !isRenewed {
                    // What was kept is of no use any more.
                    isRenewed = true
                    credentials = nil
                    continue
                }
                guard error.mayPass else { throw DaemonExit(.refused, "Orders may be open still: \(error).") }
                self.tell("\(error); it is tried again")
                pause = error.retryAfter ?? .zero
            }
            pause = max(pause, backoff.next(using: &random))
            guard Instant.now() + pause < deadline else {
                throw DaemonExit(.unreachable, "Orders may be open still: the venue did not obey in time. Try again.")
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// - Parameter isRenewed: whether those that are kept are not to be used.
    private mutating func credentials(_ isRenewed: Bool) async throws(ClobFailure) -> AccountCredentials {
        let venueTime = try await self.clob.time()
        let offset = venueTime - .now()
        if offset > Self.clockOffsetMax || offset < .zero - Self.clockOffsetMax {
            let seconds = offset.milliseconds / 1_000
            self.tell("the venue's clock, which is used, differs by \(seconds) s from that of this machine")
            self.clob.clockOffset = offset
        }
        do throws(SecretFile.Problem) {
            if !isRenewed, let kept = try self.store.read() { return kept }
        } catch { self.tell("\(self.store.path) cannot be used and is made anew: \(error.reason)") }
        let (credentials, text) = try await self.clob.makeCredentials(now: .now())
        do throws(SystemError) { try self.store.write(text) } catch {
            self.tell("the credentials cannot be kept: \(error)")
        }
        return credentials
    }

    /// What the command is.
    static let command = DaemonCommand(
        "cancel-all", "cancels all open orders of the account, and ends when the venue says that nothing is open"
    ) { (context) async throws(DaemonExit) in
        let key = try CredentialSearch.privateKey(context.configuration, environment: context.environment)
        let venue = context.configuration.venue
        var options = RESTClient.Options()
        options.caFile = venue.authorityFile
        options.proxy = venue.proxy
        let client: RESTClient
        do throws(SystemError) { client = try RESTClient(options: options) } catch {
            throw DaemonExit(.bug, "Requests cannot be made: \(error).")
        }
        defer { client.stop() }
        var cancel = CancelAll(
            ClobClient(client: client, baseURL: venue.clobURL, key: key),
            store: CredentialStore(directory: context.stateDirectory, owner: key.address), tell: context.tell)
        var random = SystemRandomNumberGenerator()
        try await cancel.run(using: &random)
    }
}
