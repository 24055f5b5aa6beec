import CLinux
import Glibc

/// The process's environment as a value, read once at the start.
public enum ProcessEnvironment {
    /// Variables that hold a secret: of no use to any daemon but the one that says so.
    public static let secretNames: Set<String> = ["POLYGON_PRIVATE_KEY"]

    /// All variables. Where a name stands twice the first counts, as for `getenv`.
    ///
    /// - Parameter wiped: names whose values are left out, and overwritten where they stand.
    public static func current(wiping wiped: Set<String> = []) -> [String: String] {
        var variables: [String: String] = [:]
        guard var next = clinux_environment() else { return variables }
        while let entry = next.pointee {
            if let name = wiped.first(where: { strncmp(entry, $0 + "=", $0.utf8.count + 1) == 0 }) {
                let value = entry + name.utf8.count + 1
                explicit_bzero(value, strlen(value))
                next += 1
                continue
            }
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                let name = String(text[..<equals])
                variables[name] = variables[name] ?? String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }

    /// Whether systemd started this very process.
    ///
    /// `INVOCATION_ID` alone is inherited, by every shell of a desktop for example; `SYSTEMD_EXEC_PID` says who was meant.
    public static func isUnderSystemd(_ environment: [String: String], process: Int32) -> Bool {
        if environment["NOTIFY_SOCKET"] != nil { return true }
        guard environment["INVOCATION_ID"] != nil else { return false }
        guard let meant = environment["SYSTEMD_EXEC_PID"] else { return true }
        return meant == "\(process)"
    }
}
