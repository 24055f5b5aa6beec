import CCurl

/// A connected byte stream that libcurl opened, with TLS or without: non-blocking reads and writes. It owns the handle
/// and with it the socket. One thread at a time.
final class CurlLine {
    enum Read {
        case bytes(Int)
        /// Nothing is there now.
        case wouldBlock
        /// The peer will send no more.
        case ended
        case failed(String)
    }

    enum Write {
        case allWritten
        /// To be tried again when the socket takes more.
        case wouldBlock
        case failed(String)
    }

    private let handle: Curl.Handle
    /// For the event loop to watch.
    let socket: Int32
    /// A TLS library may hold decrypted bytes that the socket does not show as readable.
    let isSecure: Bool

    // What is being written keeps its address and length until it is gone: OpenSSL insists on both when it repeats a
    // write. New bytes wait in `waiting`.
    private var writing: [UInt8] = []
    private var writtenCount = 0
    private var waiting: [UInt8] = []

    init(handle: Curl.Handle, socket: Int32, isSecure: Bool) {
        self.handle = handle
        self.socket = socket
        self.isSecure = isSecure
    }

    deinit { curl_easy_cleanup(self.handle) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Read {
        var count = 0
        let code = curl_easy_recv(self.handle, buffer.baseAddress, buffer.count, &count)
        if code == CURLE_AGAIN { return .wouldBlock }
        guard code == CURLE_OK else { return .failed(String(cString: curl_easy_strerror(code))) }
        return count > 0 ? .bytes(count) : .ended
    }

    /// Bytes that are queued and not yet given to the kernel.
    var queuedByteCount: Int { self.writing.count - self.writtenCount + self.waiting.count }

    /// Queues what `append` appends; `flush()` sends it.
    func queue(_ append: (inout [UInt8]) -> Void) { append(&self.waiting) }

    func flush() -> Write {
        while true {
            if self.writtenCount == self.writing.count {
                guard !self.waiting.isEmpty else { return .allWritten }
                swap(&self.writing, &self.waiting)
                self.waiting.removeAll(keepingCapacity: true)
                self.writtenCount = 0
            }
            var count = 0
            let code = self.writing.withUnsafeBytes {
                curl_easy_send(
                    self.handle, $0.baseAddress.map { $0 + self.writtenCount }, $0.count - self.writtenCount, &count)
            }
            if code == CURLE_AGAIN { return .wouldBlock }
            guard code == CURLE_OK else { return .failed(String(cString: curl_easy_strerror(code))) }
            self.writtenCount += count
        }
    }
}
