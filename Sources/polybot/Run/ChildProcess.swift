import CLinux
import DaemonKit
import Glibc

/// One running child: its process, and the pipe on which it writes.
struct ChildProcess {
    /// The descriptor by which a child learns that we are gone, in every child.
    static let lifelineDescriptor: Int32 = 3

    let pid: Int32
    /// Reads what the child writes to standard output and standard error. Non-blocking; the owner closes it.
    let output: Int32

    /// Starts `executable` in a process group of its own, so that Ctrl-C reaches us alone and we stop it in order.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - lifeline: the reading end of a pipe whose other end we hold; `nil` for a program that is none of ours.
    /// - Throws: what the system says when there is no such program or no room for a process.
    static func spawn(
        _ executable: String, _ arguments: [String], environment: [String: String], lifeline: Int32?
    ) throws(SystemError) -> ChildProcess {
        let (reading, writing) = try Pipe.make()
        defer { close(writing) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, writing, 1)
        posix_spawn_file_actions_adddup2(&actions, writing, 2)
        if let lifeline { posix_spawn_file_actions_adddup2(&actions, lifeline, Self.lifelineDescriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var variables = environment
        if lifeline != nil { variables["POLYBOT_LIFELINE_FD"] = "\(Self.lifelineDescriptor)" }
        let argv = ([executable] + arguments).map { strdup($0) } + [nil]
        let envp = variables.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }

        var pid: Int32 = 0
        let code = posix_spawn(&pid, executable, &actions, &attributes, argv, envp)
        guard code == 0 else {
            close(reading)
            throw SystemError("posix_spawn", code: code)
        }
        return ChildProcess(pid: pid, output: reading)
    }

    /// Keeps from children what our own parent left open: a pipe that a child holds keeps its reader waiting. Call it
    /// before the first child; what is opened later is not inherited anyway.
    static func keepDescriptorsToOurselves() {
        guard let directory = opendir("/proc/self/fd") else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// How it ended; `nil` while it runs. Once only: afterwards its number may be somebody else's.
    func takeExit() -> SupervisorCore.Exit? {
        var status: Int32 = 0
        guard waitpid(self.pid, &status, WNOHANG) == self.pid else { return nil }
        return clinux_wifexited(status) != 0 ? .code(clinux_exit_status(status)) : .signal(clinux_term_signal(status))
    }

    /// Sends `number`. Only while `takeExit()` has given nothing.
    func signal(_ number: Int32) { kill(self.pid, number) }
}

/// A pipe that children do not inherit by accident.
enum Pipe {
    /// - Returns: both ends; the reading one does not block.
    static func make() throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("pipe") }
        // Nothing is started between the two calls: children are made on this thread alone.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = clinux_set_nonblocking(ends[0])
        return (ends[0], ends[1])
    }
}
