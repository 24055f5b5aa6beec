import CLinux
import Glibc
import Shared

@testable import DaemonKit

/// Autobahn's fuzzing server, as `scripts/test-autobahn` has prepared it: a process of its own on a free port.
final class AutobahnServer: Sendable {
    /// The verdict on one case, of the server's report.
    struct Verdict: CustomStringConvertible {
        let number: String
        let behavior: String
        let close: String
        /// In the server's words.
        let result: String

        var isClean: Bool {
            ["OK", "NON-STRICT", "INFORMATIONAL"].contains(self.behavior)
                && ["OK", "INFORMATIONAL"].contains(self.close)
        }
        var description: String { "case \(self.number): \(self.behavior), its close \(self.close): \(self.result)" }
    }

    /// The server is ended by then, whatever becomes of the test.
    private static let lifeSecondsMax = 3_600
    private static let package = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    private static let tool = package + "/../shared/tools/autobahn/run-server"
    private static let cache = package + "/.build-autobahn"
    static let isAvailable = access(tool, X_OK) == 0 && access(cache + "/py2/prepared-pins", R_OK) == 0

    /// What it says, before its address, when it accepts connections.
    private static let mark = "READY "

    let address: String
    private let reports: DaemonTestDirectory
    private let process: pid_t

    /// - Parameter selection: the tool's flags that choose cases.
    init(_ selection: [String]) async throws {
        let reports = try DaemonTestDirectory()
        let command =
            ["timeout", "--kill-after=5", "\(Self.lifeSecondsMax)", Self.tool, Self.cache, reports.root] + selection
        // A file, as the server goes on writing, and a pipe that nobody reads would stop it.
        let output = clinux_open(reports.path("output"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let null = clinux_open("/dev/null", O_RDONLY | O_CLOEXEC, 0)
        defer {
            close(output)
            close(null)
        }
        let process = try spawn(command, input: null, output: output)
        var address: Substring?
        _ = await DaemonTest.eventually {
            let lines = reports.read("output").split(separator: "\n").filter { $0.hasPrefix(Self.mark) }
            address = lines.first?.dropFirst(Self.mark.count)
            return address != nil
        }
        guard let address else {
            Self.end(process)
            throw SystemError("Autobahn's server did not start", code: ECHILD)
        }
        self.process = process
        self.address = String(address)
        self.reports = reports
    }

    deinit { Self.end(self.process) }

    private static func end(_ process: pid_t) {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }

    /// What it wrote of a client, by case.
    func verdicts(on agent: String) throws -> [Verdict] {
        let cases = try JSONValue(parsing: self.reports.read("index.json").utf8)[agent]?.object ?? [:]
        return cases.map { number, told in
            let report = told["reportfile"]?.string.map { self.reports.read($0) } ?? ""
            return Verdict(
                number: number, behavior: told["behavior"]?.string ?? "none",
                close: told["behaviorClose"]?.string ?? "none",
                result: (try? JSONValue(parsing: report.utf8))?["result"]?.string ?? "")
        }
    }
}
