import CCurl
import Shared
import Synchronization

/// Opens one `CurlLine`: name resolution, proxy, TCP and TLS by libcurl, on a thread of its own that ends with it.
///
/// libcurl's blocking connect cannot be on the loop, and its non-blocking one still resolves names in threads of its
/// own and keeps the handle in a multi for ever. The thread is bounded by the connect timeout; an opener that is given
/// up tells libcurl so, which ends the thread within about a second.
final class CurlLineOpener: @unchecked Sendable {
    /// What may wait in the kernel while the daemon is held up. The 128 KB that Linux begins with take a hundred small
    /// messages, some milliseconds of a burst; a window that closes then opens only with the sender's next probe, 0.2 s
    /// later. The kernel grants at most twice `net.core.rmem_max`, which Debian sets to 208 KB.
    private static let receiveBufferByteCount = 4 << 20

    enum Outcome {
        case opened(CurlLine)
        case failed(WebSocketConnection.CloseReason)
    }

    private let loop: EventLoop
    private let isSecure: Bool
    private let isGivenUp = Atomic<Bool>(false)
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Curl.errorByteCount)
    /// Written by the thread, read by the loop after it.
    private var code = CURLE_OK
    /// The thread's until it hands over, then the loop's. Nil once a line owns it.
    private var handle: Curl.Handle?
    /// Loop only.
    private var onFinished: ((Outcome) -> Void)?

    init(url: WebSocketURL, options: WebSocketConnection.Options, loop: EventLoop) {
        self.loop = loop
        self.isSecure = url.isSecure
        self.errorText[0] = 0
        let handle = Curl.makeHandle()
        self.handle = handle
        _ = ccurl_set_string(handle, CURLOPT_URL, url.lineURL)
        _ = ccurl_set_long(handle, CURLOPT_CONNECT_ONLY, 1)
        _ = ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(options.connectTimeout.milliseconds)))
        // A plain proxy must pass the upgrade on, not answer it.
        _ = ccurl_set_long(handle, CURLOPT_HTTPPROXYTUNNEL, 1)
        _ = ccurl_set_receive_buffer(handle, Int32(Self.receiveBufferByteCount))
        // libcurl reads no more at a time than this, 16 KB by itself.
        _ = ccurl_set_long(handle, CURLOPT_BUFFERSIZE, WebSocketConnection.readByteCount)
        _ = ccurl_set_string(handle, CURLOPT_USERAGENT, options.userAgent)
        if let caFile = options.caFile { _ = ccurl_set_string(handle, CURLOPT_CAINFO, caFile) }
        if let proxy = options.proxy { _ = ccurl_set_string(handle, CURLOPT_PROXY, proxy) }
    }

    deinit {
        if let handle = self.handle { curl_easy_cleanup(handle) }
        self.errorText.deallocate()
    }

    /// Calls `onFinished` once on the loop, unless given up before.
    func start(_ onFinished: @escaping (Outcome) -> Void) throws(SystemError) {
        self.onFinished = onFinished
        try WorkerThread { self.run() }.detach()
    }

    /// Loop only.
    func giveUp() {
        self.onFinished = nil
        self.isGivenUp.store(true, ordering: .relaxed)
    }

    private func run() {
        guard let handle = self.handle else { return }
        _ = ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, self.errorText)
        _ = ccurl_set_long(handle, CURLOPT_NOPROGRESS, 0)
        _ = ccurl_set_pointer(handle, CURLOPT_XFERINFODATA, Unmanaged.passUnretained(self).toOpaque())
        _ = ccurl_set_progress(handle) { context, _, _, _, _ in
            guard let context else { return 0 }
            let opener = Unmanaged<CurlLineOpener>.fromOpaque(context).takeUnretainedValue()
            return opener.isGivenUp.load(ordering: .relaxed) ? 1 : 0
        }
        self.code = curl_easy_perform(handle)
        // The handle outlives this object inside a line.
        _ = ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, nil)
        _ = ccurl_set_long(handle, CURLOPT_NOPROGRESS, 1)
        self.loop.execute { self.handOver() }
    }

    private func handOver() {
        guard let onFinished = self.onFinished else { return }
        self.onFinished = nil
        onFinished(self.outcome())
    }

    private func outcome() -> Outcome {
        guard self.code == CURLE_OK, let handle = self.handle else { return .failed(self.reason()) }
        var socket = curl_socket_t(-1)
        guard ccurl_get_socket(handle, &socket) == CURLE_OK, socket >= 0 else {
            return .failed(.connectionLost("the line was lost as soon as it was open"))
        }
        self.handle = nil
        return .opened(CurlLine(handle: handle, socket: socket, isSecure: self.isSecure))
    }

    private func reason() -> WebSocketConnection.CloseReason {
        let detail = Curl.detail(self.code, self.errorText)
        switch self.code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return .unresolved(detail)
        case CURLE_COULDNT_CONNECT: return .refused(detail)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut(.connecting)
        // All that we hand to libcurl is right; it is what it calls a header without a colon.
        case CURLE_BAD_FUNCTION_ARGUMENT: return .connectFailed("a line of the proxy's answer is no header")
        default: return Curl.isTLS(self.code) ? .tls(detail) : .connectFailed(detail)
        }
    }
}
