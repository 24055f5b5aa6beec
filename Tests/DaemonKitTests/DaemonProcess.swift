import CLinux
import DaemonKit
import Glibc

/// `daemonprobe` as a real process, with directories of its own. Killed at the latest when the test lets go of it.
final class DaemonProcess {
    let process: pid_t
    let directory: DaemonTestDirectory
    private var status: Int32?

    /// Where the build puts the probe: beside the tests' own program.
    static var executable: String {
        var path = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &path, path.count)
        let own = String(decoding: path[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/daemonprobe"
    }

    /// - Parameters:
    ///   - environment: all of it; nothing is inherited but the path of the libraries and the sanitizer's options.
    ///   - descriptors: what the child gets as 3, 4, …
    ///   - setsListenProcess: whether LISTEN_PID becomes the child's own, as systemd does it.
    init(
        _ arguments: [String] = [], environment: [String: String] = [:], descriptors: [Int32] = [],
        directory: DaemonTestDirectory, setsListenProcess: Bool = false
    ) throws {
        self.directory = directory
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, directory.path("stdout"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, directory.path("stderr"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        for (index, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(3 + index))
        }
        let variable = setsListenProcess ? "LISTEN_PID=$$ " : ""
        let command = "cd \"$1\" && shift && \(variable)exec \"$0\" \"$@\""
        let directories = ["--runtime-dir", directory.path("run"), "--state-dir", directory.path("state")]
        let words = ["/bin/sh", "-c", command, Self.executable, directory.root] + directories + arguments
        var variables = environment
        for name in ["LD_LIBRARY_PATH", "ASAN_OPTIONS"] {
            variables[name] = getenv(name).map { String(cString: $0) }
        }
        var argv = words.map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, "/bin/sh", &actions, nil, &argv, &envp)
        guard code == 0 else { throw SystemError("posix_spawn", code: code) }
        self.process = process
    }

    deinit {
        guard self.status == nil else { return }
        kill(self.process, SIGKILL)
        var status: Int32 = 0
        waitpid(self.process, &status, 0)
    }

    var standardError: String { self.directory.read("stderr") }
    var standardOutput: String { self.directory.read("stdout") }

    func send(_ signal: Int32) { kill(self.process, signal) }

    /// Whether standard error says `text`, in time.
    func says(_ text: String) async -> Bool {
        await DaemonTest.eventually { self.standardError.contains(text) }
    }

    /// The exit code, when it comes in time; a signal that ended the process is given as its negative.
    func exitCode() async -> Int32? {
        let hasEnded = await DaemonTest.eventually(within: .seconds(60)) { self.poll() }
        guard hasEnded, let status = self.status else { return nil }
        let signal = clinux_term_signal(status)
        return signal == 0 ? clinux_exit_status(status) : -signal
    }

    private func poll() -> Bool {
        guard self.status == nil else { return true }
        var status: Int32 = 0
        guard waitpid(self.process, &status, WNOHANG) == self.process else { return false }
        self.status = status
        return true
    }
}
