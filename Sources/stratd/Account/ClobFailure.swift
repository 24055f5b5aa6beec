import DaemonKit
import Shared

/// Why the venue did not do what it was asked, by what is to be done about it. Source: reference, 2.6, 2.8, 2.9 and 2.11.
enum ClobFailure: Error, Equatable, CustomStringConvertible {
    /// No answer. Where `isOutcomeUnknown`, it may have been done.
    case transport(RESTError)
    /// 401: the credentials or the clock.
    case unauthorized(String)
    /// 425: the engine restarts.
    case restarting
    /// 503: only orders that cannot take, and cancels.
    case postOnly
    /// 503: only cancels.
    case cancelOnly
    /// 503: nothing.
    case disabled
    /// 429, with the pause that the venue asks for.
    case tooMany(retryAfter: Duration?)
    /// 403: not from here.
    case region(String)
    /// A heartbeat that does not name the one before it: this is the name.
    case staleHeartbeat(String)
    /// Another 5xx: it may have been done.
    case trouble(Int, String)
    /// Another 4xx: it was not done, and never will be.
    case refused(Int, String)
    /// An answer that is not what was expected: it may have been done.
    case malformed(String)

    /// What an answer that is no success means.
    init(_ response: RESTResponse) {
        let answer = try? JSONValue(parsing: response.body)
        let text = answer?["error"]?.string ?? answer?["error_msg"]?.string ?? ""
        let sentence = text.shortened(toByteCount: Self.textByteCountMax)
        switch response.status {
        case 400 where answer?["heartbeat_id"]?.string != nil:
            self = .staleHeartbeat(answer?["heartbeat_id"]?.string ?? "")
        case 401: self = .unauthorized(sentence)
        case 403: self = .region(sentence)
        case 425: self = .restarting
        case 429: self = .tooMany(retryAfter: response.retryAfter)
        case 503 where answer?["code"]?.string == "post_only_mode" || text.contains("post-only mode"): self = .postOnly
        case 503 where text.contains("cancel-only"): self = .cancelOnly
        case 503 where text.contains("disabled"): self = .disabled
        case 408, 500...599: self = .trouble(response.status, sentence)
        default: self = .refused(response.status, sentence)
        }
    }

    private static let textByteCountMax = 200

    /// Whether the same request may succeed later, although nothing was changed about it.
    var mayPass: Bool {
        switch self {
        case .transport(let error): error.reason != .badRequest && error.reason != .stopped
        case .restarting, .postOnly, .cancelOnly, .disabled, .tooMany, .trouble, .malformed: true
        case .unauthorized, .region, .refused, .staleHeartbeat: false
        }
    }

    /// Whether the venue may have done what it was asked.
    var isOutcomeUnknown: Bool {
        switch self {
        case .transport(let error): error.isOutcomeUnknown
        case .trouble, .malformed: true
        case .unauthorized, .restarting, .postOnly, .cancelOnly, .disabled, .tooMany, .region, .staleHeartbeat,
            .refused:
            false
        }
    }

    /// Whether the request counts among those that failed. What the venue says of one order is no failure of the request, and its
    /// maintenance passes by itself: then nothing is placed, and nobody has to resume. Source: reference, 2.8.
    var isRequestFailure: Bool {
        switch self {
        case .transport(let error): error.reason != .stopped && error.reason != .cancelled
        case .unauthorized, .tooMany, .region, .trouble, .malformed: true
        case .restarting, .postOnly, .cancelOnly, .disabled, .staleHeartbeat, .refused: false
        }
    }

    var retryAfter: Duration? { if case .tooMany(let pause) = self { pause } else { nil } }

    var description: String {
        switch self {
        case .transport(let error): "\(error)"
        case .unauthorized(let text): "the venue does not know these credentials (401 \(text))"
        case .restarting: "the venue's engine restarts (425)"
        case .postOnly: "the venue takes only post-only orders for a time (503)"
        case .cancelOnly: "the venue takes only cancels for a time (503)"
        case .disabled: "trading is disabled at the venue (503)"
        case .tooMany: "the venue was asked too often (429)"
        case .region(let text): "the venue refuses to trade from here (403 \(text))"
        case .staleHeartbeat: "the venue expects the heartbeat after another one (400)"
        case .trouble(let status, let text): "the venue is in trouble (\(status) \(text))"
        case .refused(let status, let text): "the venue refuses (\(status) \(text))"
        case .malformed(let reason): "the venue's answer cannot be read: \(reason)"
        }
    }
}
