import CCurl
import Glibc

/// What every user of libcurl in this process needs once.
enum Curl {
    typealias Handle = UnsafeMutableRawPointer

    /// Room for libcurl's sentence on an error.
    static let errorByteCount = Int(CURL_ERROR_SIZE)

    /// Initialises libcurl, and ignores SIGPIPE: OpenSSL writes without MSG_NOSIGNAL, and a server that hangs up must
    /// not end a daemon.
    private static let isReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return ccurl_global_init() == CURLE_OK
    }()

    /// A new easy handle with what all have in common: no signals, TLS 1.2 at least, sockets that no child
    /// inherits, no waiting for a resolver's thread when a handle is given up.
    static func makeHandle() -> Handle {
        precondition(self.isReady, "libcurl could not be initialised")
        guard let handle = curl_easy_init() else { fatalError("curl_easy_init: out of memory") }
        self.applyCommonOptions(handle)
        return handle
    }

    /// Sets them again after `curl_easy_reset`.
    static func applyCommonOptions(_ handle: Handle) {
        _ = ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = ccurl_set_long(handle, CURLOPT_QUICK_EXIT, 1)
        _ = ccurl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        _ = ccurl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = ccurl_set_private_sockets(handle)
        _ = ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    }

    static func makeMulti() -> Handle {
        precondition(self.isReady, "libcurl could not be initialised")
        guard let multi = curl_multi_init() else { fatalError("curl_multi_init: out of memory") }
        return multi
    }

    /// libcurl's own sentence for this failure if it wrote one, else the general one for its code.
    static func detail(_ code: CURLcode, _ errorText: UnsafePointer<CChar>) -> String {
        let own = String(cString: errorText)
        return own.isEmpty ? String(cString: curl_easy_strerror(code)) : own
    }

    /// Whether a failure is TLS's: a wrong clock, an unknown CA, a certificate for another name.
    static func isTLS(_ code: CURLcode) -> Bool {
        switch code {
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            true
        default: false
        }
    }
}
