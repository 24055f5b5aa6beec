/// Why a journal cannot be kept.
public enum JournalError: Error, CustomStringConvertible {
    /// Another process keeps this journal.
    case locked(String)
    case system(String, SystemError)
    /// An earlier failure left a line that could not be taken back: nothing is appended behind it.
    case broken(String)

    public var description: String {
        switch self {
        case .locked(let path):
            "another process keeps the journal in \(path): stop it first, or choose another --state-dir"
        case .system(let path, let error): "the journal \(path) cannot be used: \(error)"
        case .broken(let path): "the journal \(path) ends in half a line after a failed write: restart to mend it"
        }
    }
}
