import Glibc

/// Why a journal cannot be kept.
public enum JournalError: Error, CustomStringConvertible {
    /// Another process keeps the journals of this directory.
    case locked(String)
    case system(String, SystemError)

    /// How a daemon ends that cannot go on without the journal: code 75 where the next start may find what is missing now.
    public var exit: DaemonExit {
        if case .system(_, let error) = self, [EAGAIN, ENOMEM, EMFILE, ENFILE].contains(error.code) {
            return DaemonExit(.temporary, "\(self).")
        }
        return DaemonExit(.refused, "\(self).")
    }

    public var description: String {
        switch self {
        case .locked(let path):
            "another process keeps the journal in \(path): stop it first, or choose another --state-dir"
        case .system(let path, let error): "the journal \(path) cannot be used: \(error)"
        }
    }
}
