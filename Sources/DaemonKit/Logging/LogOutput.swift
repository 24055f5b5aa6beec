import CLinux
import Glibc
import Shared
import Synchronization

/// Where finished log lines go. Never waits, never fails: what cannot be written is dropped and counted. What the journal has no
/// room for is dropped only when its backlog is full too.
final class LogOutput: Sendable {
    private enum Way {
        /// A file, or a pipe or terminal opened anew so that it does not block: the flag is ours alone.
        case write
        /// A socket that was handed to us.
        case send
        /// The journal's socket, by its path.
        case sendTo(sockaddr_un, LogBacklog)
        /// A pipe or terminal that cannot be opened anew: asked before each write whether it has room.
        case askAndWrite
    }

    private static let sendFlags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)

    private let descriptor: Int32
    private let way: Way
    private let ownsDescriptor: Bool
    private let dropped = Dropped()
    private final class Dropped: Sendable { let count = Atomic<Int>(0) }

    /// Lines that were lost so far and not yet told of.
    var droppedCount: Int { self.dropped.count.load(ordering: .relaxed) }

    /// Writes lines to a stream such as standard error, which stays the caller's.
    init(stream: Int32) {
        var status = stat()
        let kind = fstat(stream, &status) == 0 ? status.st_mode & S_IFMT : 0
        if kind == S_IFSOCK {
            (self.descriptor, self.way, self.ownsDescriptor) = (stream, .send, false)
        } else if kind == S_IFIFO || kind == S_IFCHR {
            // O_NONBLOCK on the stream itself would hold for everybody who shares it, a shell included.
            let own = clinux_open("/proc/self/fd/\(stream)", O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY, 0)
            (self.descriptor, self.way, self.ownsDescriptor) =
                own >= 0 ? (own, .write, true) : (stream, .askAndWrite, false)
        } else {
            (self.descriptor, self.way, self.ownsDescriptor) = (stream, .write, false)
        }
    }

    /// Sends entries to the journal's socket; `nil` when nobody listens there.
    ///
    /// Each entry goes to the path, not to whoever was behind it first: a journal that is restarted with a socket of its
    /// own gets the next line, and what is lost meanwhile is counted like all that nobody took. Not through
    /// `sd_journal_sendv`: it blocks while the journal does, and succeeds when there is no journal.
    init?(journalSocket path: String = "/run/systemd/journal/socket") {
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        // Only to find out: the connection is dissolved again.
        var nobody = sockaddr()
        nobody.sa_family = sa_family_t(AF_UNSPEC)
        guard Self.withGeneric(&address, { connect(socket, $0, $1) }) == 0,
            connect(socket, &nobody, socklen_t(MemoryLayout<sockaddr>.size)) == 0
        else {
            close(socket)
            return nil
        }
        var patience = timeval(tv_sec: 0, tv_usec: suseconds_t(LogBacklog.sendTimeMax.nanoseconds / 1_000))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let (place, dropped) = (address, self.dropped)
        let owner = DescriptorOwner(socket)
        let backlog = LogBacklog(onLost: { dropped.count.add(1, ordering: .relaxed) }) {
            Self.send($0, from: owner.descriptor, to: place, flags: Int32(MSG_NOSIGNAL))
        }
        (self.descriptor, self.way, self.ownsDescriptor) = (socket, .sendTo(address, backlog), false)
    }

    /// Closes it when nobody uses it any more: the backlog's thread may outlive the output.
    private final class DescriptorOwner: Sendable {
        let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(self.descriptor) }
    }

    private static func send(
        _ line: [UInt8], from socket: Int32, to address: sockaddr_un, flags: Int32
    ) -> LogBacklog.Outcome {
        var address = address
        let count = Self.withGeneric(&address) { sendto(socket, line, line.count, flags, $0, $1) }
        if count == line.count { return .sent }
        return count < 0 && (errno == EAGAIN || errno == ENOBUFS) ? .noRoom : .failed
    }

    private static func withGeneric<Value>(
        _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    deinit {
        if self.ownsDescriptor { close(self.descriptor) }
        if case .sendTo(_, let backlog) = self.way { backlog.stop() }
    }

    /// Writes `line` whole, leaves it to the backlog, or drops it.
    ///
    /// - Returns: how many lines were lost before this one, when it went out: the caller says so.
    func write(_ line: [UInt8]) -> Int {
        guard self.puts(line) else {
            self.dropped.count.add(1, ordering: .relaxed)
            return 0
        }
        return self.droppedCount == 0 ? 0 : self.dropped.count.exchange(0, ordering: .relaxed)
    }

    private func puts(_ line: [UInt8]) -> Bool {
        switch self.way {
        case .write: Glibc.write(self.descriptor, line, line.count) == line.count
        case .send: Glibc.send(self.descriptor, line, line.count, Self.sendFlags) == line.count
        case .sendTo(let address, let backlog): self.sendOrKeep(line, address, backlog)
        case .askAndWrite: self.hasRoom && Glibc.write(self.descriptor, line, line.count) == line.count
        }
    }

    private func sendOrKeep(_ line: [UInt8], _ address: sockaddr_un, _ backlog: LogBacklog) -> Bool {
        guard !backlog.isBusy else { return backlog.add(line) }
        return switch Self.send(line, from: self.descriptor, to: address, flags: Self.sendFlags) {
        case .sent: true
        case .noRoom: backlog.add(line)
        case .failed: false
        }
    }

    private var hasRoom: Bool {
        var ask = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&ask, 1, 0) == 1 && ask.revents & Int16(POLLOUT) != 0
    }
}
