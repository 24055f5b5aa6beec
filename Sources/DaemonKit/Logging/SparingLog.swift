public import Shared

/// Says a sentence a bounded number of times a second, then how often it was left out.
///
/// Three hundred books can fail at once, and a venue can send nonsense for hours: the log must stay readable.
public struct SparingLog: Sendable {
    /// Lines of one sentence in a row; then one a second.
    public static let burst: Int64 = 10

    private struct Sentence: Sendable {
        var bucket: TokenBucket
        var leftOut = 0
    }

    /// By sentence: those of the program, so that there are few.
    private var sentences: [String: Sentence] = [:]

    public init() {}

    /// - Returns: whether the sentence is to be said now.
    public mutating func admits(_ sentence: String, now: Instant) -> Bool {
        var state =
            self.sentences[sentence]
            ?? Sentence(bucket: TokenBucket(rate: 1, burst: Self.burst, now: now))
        defer { self.sentences[sentence] = state }
        if state.leftOut == 0 && state.bucket.take(now: now) { return true }
        state.leftOut += 1
        return false
    }

    /// Sentences that were left out and whose time has come, with how often. To be called each second or so.
    public mutating func leftOut(now: Instant) -> [(sentence: String, count: Int)] {
        var told: [(sentence: String, count: Int)] = []
        for sentence in self.sentences.keys.sorted() where self.sentences[sentence]!.leftOut > 0 {
            guard self.sentences[sentence]!.bucket.take(now: now) else { continue }
            told.append((sentence, self.sentences[sentence]!.leftOut))
            self.sentences[sentence]!.leftOut = 0
        }
        return told
    }
}
