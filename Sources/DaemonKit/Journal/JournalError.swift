/// Why a journal cannot be kept.
public enum JournalError: Error, CustomStringConvertible {
    /// Another process keeps the journals of this directory.
    case locked(String)
    case system(String, SystemError)

    public var description: String {
        switch self {
        case .locked(let path):
            "another process keeps the journal in \(path): stop it first, or choose another --state-dir"
        case .system(let path, let error): "the journal \(path) cannot be used: \(error)"
        }
    }
}
