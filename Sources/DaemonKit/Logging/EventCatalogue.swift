public import Logging

/// What every constant sentence in our logs means, and what to do about it.
///
/// A sentence that is said at info or above has its entry here, and a test holds both against each other. Names and ids
/// are what operators' filters and alarms are made of: once published, they never change and are never given out again.
public enum EventCatalogue {
    /// Who says a sentence.
    public enum Speaker: String, Sendable, CaseIterable {
        /// `DaemonKit`, in whichever daemon.
        case everyDaemon = "every daemon"
        case feedd, scannerd, stratd
        /// The hook that runs before and after a daemon: no daemon's code says it.
        case unitHook = "the unit's hook"
    }

    public struct Entry: Sendable {
        /// As the log has it.
        public let sentence: String
        /// Short, of small letters, digits and "_": the value of `POLYBOT_EVENT`.
        public let name: String
        /// 128 random bits in 32 small hexadecimal digits: the journal's `MESSAGE_ID`. `nil` where a name is enough.
        public let id: String?
        /// At which it may be said, mildest first.
        public let levels: [Logger.Level]
        public let speakers: [Speaker]
        /// Facts that always stand beside it, for the explanation that `journalctl -x` shows.
        public let facts: [String]
        public let meaning: String
        /// What to do now.
        public let advice: String

        init(
            _ sentence: String, _ name: String, _ levels: Logger.Level..., id: String? = nil, by speakers: [Speaker],
            facts: [String] = [], meaning: String, advice: String = "Nothing."
        ) {
            self.sentence = sentence
            self.name = name
            self.id = id
            self.levels = levels
            self.speakers = speakers
            self.facts = facts
            self.meaning = meaning
            self.advice = advice
        }
    }

    /// Every entry, by speaker; in the order of a life within one.
    public static let entries = lifeEntries + socketEntries + feedEntries + scannerEntries + strategyEntries

    private static let bySentence = Dictionary(
        Self.entries.map { ($0.sentence, $0) }, uniquingKeysWith: { first, _ in first })

    /// The entry of a sentence; `nil` for those that have none, which are said at debug and trace only.
    public static func entry(for sentence: String) -> Entry? { Self.bySentence[sentence] }
}
