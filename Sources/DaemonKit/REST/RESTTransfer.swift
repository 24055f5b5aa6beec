import CCurl
import Shared

/// One request on its way through libcurl. Made by whoever asks, then the client's thread's alone.
final class RESTTransfer: @unchecked Sendable {
    typealias Outcome = Result<RESTResponse, RESTError>

    /// Largest head of an answer, all its lines together.
    private static let headByteCountMax = 64 << 10

    private let request: RESTRequest
    private var continuation: CheckedContinuation<Outcome, Never>?
    /// Cancelled before it was begun.
    var isCancelled = false
    private(set) var handle: Curl.Handle?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Curl.errorByteCount)
    private var startedTime = Timestamp(microseconds: 0)
    private var startedInstant = Instant(nanoseconds: 0)
    /// The connection is there and the request goes out: from now on the server may have it.
    private var isSent = false
    private var isTooLarge = false
    private var headers: [(name: String, value: String)] = []
    private var headByteCount = 0
    private var body: [UInt8] = []

    init(_ request: RESTRequest) {
        self.request = request
        self.errorText[0] = 0
    }

    deinit {
        curl_slist_free_all(self.headerList)
        self.errorText.deallocate()
    }

    func wait(with continuation: CheckedContinuation<Outcome, Never>) { self.continuation = continuation }

    /// Dresses `handle` for the request.
    func begin(on handle: Curl.Handle, options: RESTClient.Options) {
        self.handle = handle
        self.startedTime = .now()
        self.startedInstant = .now()
        let request = self.request
        _ = ccurl_set_string(handle, CURLOPT_URL, request.url)
        _ = ccurl_set_string(handle, CURLOPT_USERAGENT, options.userAgent)
        _ = ccurl_set_string(handle, CURLOPT_ACCEPT_ENCODING, "")
        _ = ccurl_set_long(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        _ = ccurl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, Int(request.timeout.milliseconds)))
        _ = ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(options.connectTimeout.milliseconds)))
        if let caFile = options.caFile { _ = ccurl_set_string(handle, CURLOPT_CAINFO, caFile) }
        if let proxy = options.proxy { _ = ccurl_set_string(handle, CURLOPT_PROXY, proxy) }
        if request.method == .post || !request.body.isEmpty {
            _ = ccurl_set_long(handle, CURLOPT_POST, 1)
            _ = ccurl_set_long(handle, CURLOPT_POSTFIELDSIZE, request.body.count)
            request.body.withUnsafeBytes { bytes in
                _ = ccurl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
        }
        if request.method == .delete { _ = ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, "DELETE") }
        self.appendHeaders()
        _ = ccurl_set_list(handle, CURLOPT_HTTPHEADER, self.headerList)
        _ = ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, self.errorText)
        self.setCallbacks(handle)
    }

    private func appendHeaders() {
        let names = self.request.headers.map { $0.name.lowercased() }
        // libcurl would wait a second for a "100 Continue" before a large body.
        self.headerList = curl_slist_append(nil, "Expect:")
        if !self.request.body.isEmpty && !names.contains("content-type") {
            self.headerList = curl_slist_append(self.headerList, "Content-Type: application/json")
        }
        for (name, value) in self.request.headers {
            self.headerList = curl_slist_append(self.headerList, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
    }

    private func setCallbacks(_ handle: Curl.Handle) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        _ = ccurl_set_write(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Unmanaged<RESTTransfer>.fromOpaque(context).takeUnretainedValue().receivedBody(buffer)
                ? buffer.count : 0
        }
        _ = ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        _ = ccurl_set_write(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Unmanaged<RESTTransfer>.fromOpaque(context).takeUnretainedValue().receivedLine(buffer)
                ? buffer.count : 0
        }
        _ = ccurl_set_pointer(handle, CURLOPT_PREREQDATA, context)
        _ = ccurl_set_prereq(handle) { context, _, _, _, _ in
            guard let context else { return CURL_PREREQFUNC_ABORT }
            let transfer = Unmanaged<RESTTransfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.mayBeSent() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
    }

    /// libcurl sends a request again, by itself, when a kept connection ends before the first byte of an answer. The
    /// server may have acted on the first, so that only what changes nothing may go out twice.
    private func mayBeSent() -> Bool {
        if self.isSent && self.request.method != .get { return false }
        self.isSent = true
        return true
    }

    private func receivedLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        self.headByteCount += bytes.count
        guard self.headByteCount <= Self.headByteCountMax else {
            self.isTooLarge = true
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        // A further status line follows an interim answer, whose headers are not the answer's.
        if line.hasPrefix("HTTP/") { self.headers.removeAll() }
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        var value = line.utf8[line.utf8.index(after: colon)...].drop(while: isSpace)
        while let last = value.last, isSpace(last) { value.removeLast() }
        self.headers.append((line[..<colon].lowercased(), String(Substring(value))))
        return true
    }

    private func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= self.request.responseByteCountMax - self.body.count else {
            self.isTooLarge = true
            return false
        }
        self.body.append(contentsOf: bytes)
        return true
    }

    // MARK: Ends

    /// libcurl is done with it.
    func finish(_ code: CURLcode) {
        var status = 0
        if code == CURLE_OK, let handle = self.handle,
            ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK
        {
            let response = RESTResponse(
                status: status, headers: self.headers, body: self.body, startedTime: self.startedTime,
                duration: .now() - self.startedInstant)
            self.resume(.success(response))
        } else {
            self.fail(self.reason(code), Curl.detail(code, self.errorText))
        }
    }

    func fail(_ reason: RESTError.Reason, _ detail: String = "") {
        self.resume(.failure(RESTError(reason, detail: detail, isOutcomeUnknown: self.isSent)))
    }

    private func resume(_ outcome: Outcome) {
        self.continuation?.resume(returning: outcome)
        self.continuation = nil
        self.handle = nil
    }

    private func reason(_ code: CURLcode) -> RESTError.Reason {
        if self.isTooLarge { return .responseTooLarge }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return .unresolved
        case CURLE_OPERATION_TIMEDOUT: return .timedOut
        case CURLE_URL_MALFORMAT: return .badRequest
        // Also what libcurl says of an answer that does not begin with a status line.
        case CURLE_UNSUPPORTED_PROTOCOL: return self.isSent ? .badResponse : .badRequest
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: return .badResponse
        default:
            if Curl.isTLS(code) { return .tls }
            return self.isSent ? .connectionLost : .refused
        }
    }
}
