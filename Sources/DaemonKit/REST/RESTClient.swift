public import Shared

/// HTTP requests to the venues: HTTP/1.1 with kept connections, TLS, proxy and compression by libcurl.
///
/// One thread of its own drives all transfers; callers wait without blocking theirs. A POST or DELETE goes out at most
/// once, whatever happens. Redirects are not followed: a venue's API has none, and keys must not travel.
public final class RESTClient: Sendable {
    public struct Options: Sendable {
        /// PEM file of the authorities to trust; nil for the system's.
        public var caFile: String?
        /// Proxy as libcurl writes it (`http://host:port`, `socks5h://…`); nil for the environment's, empty for none.
        public var proxy: String?
        public var userAgent = "polybot/0.1"
        /// Name, proxy, TCP and TLS together. A request's own timeout counts as well.
        public var connectTimeout: Duration = .seconds(5)
        /// Requests that may wait for their answers at a time; more are refused with `tooManyRequests`.
        public var requestCountMax = 64

        public init() {}
    }

    private let driver: RESTDriver

    /// Starts the client's thread.
    public init(options: Options = Options()) throws(SystemError) {
        self.driver = try RESTDriver(options: options)
    }

    deinit { self.driver.stop() }

    /// Sends `request` and waits for the whole answer; any HTTP status is an answer. Cancelling the task ends the wait
    /// within a millisecond or so, and says whether the request was out already.
    ///
    /// - Throws: `RESTError`, which says whether the server may have received the request.
    public func request(_ request: RESTRequest) async throws(RESTError) -> RESTResponse {
        if let mistake = request.mistake { throw RESTError(.badRequest, detail: mistake, isOutcomeUnknown: false) }
        let transfer = RESTTransfer(request)
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.wait(with: continuation)
                self.driver.start(transfer)
            }
        } onCancel: {
            self.driver.cancel(transfer)
        }
        return try outcome.get()
    }

    /// Whether the client's thread answers within five seconds when it is woken; asked anew by each call. From any thread.
    public func isAdvancing(now: Instant) -> Bool { self.driver.isAdvancing(now: now) }

    /// Makes the client's thread stand still, for drills; requests wait, until `stop()`.
    public func wedgeForDrill() { self.driver.wedgeForDrill() }

    /// Ends the thread and closes all connections; requests that wait end with `stopped`, also later ones. Returns when
    /// the thread has ended. May be called again.
    public func stop() { self.driver.stop() }
}
