import CLinux
import Glibc

/// Standard output while daemons run: writing never waits, because who waits for a reader watches over nobody.
final class Terminal {
    enum Kind: Equatable {
        /// A screen that is redrawn in place.
        case screen
        /// A file or a pipe that gets a line now and then.
        case lines
        case nothing
    }

    /// The size that is assumed when the terminal does not tell.
    private static let sizeDefault = (width: 80, height: 24)
    /// What may wait for a reader; beyond it nothing is added until there is room.
    private static let pendingByteCountMax = 64 << 10

    /// How long the end waits for a reader.
    private static let leaveTimeMax = Duration.seconds(2)
    private static let leavePollMilliseconds: Int32 = 100

    let kind: Kind
    /// Whether the reader is gone for good.
    private(set) var isGone = false
    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private var pending: [UInt8] = []
    private var isScreenOpen = false

    init(kind: Kind) {
        self.kind = kind
        // O_NONBLOCK on the stream itself would hold for everybody who shares it, the shell included. A file opened anew
        // would have a place of its own to write at, and needs no waiting.
        var status = stat()
        let isFile = fstat(1, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        let own = isFile ? -1 : clinux_open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY, 0)
        self.descriptor = own >= 0 ? own : 1
        self.ownsDescriptor = own >= 0
    }

    deinit {
        if self.ownsDescriptor { close(self.descriptor) }
    }

    var size: (width: Int, height: Int) {
        var columns: Int32 = 0
        var rows: Int32 = 0
        guard clinux_window_size(self.descriptor, &columns, &rows) == 0, columns > 0, rows > 0 else {
            return Self.sizeDefault
        }
        return (Int(columns), Int(rows))
    }

    /// Shows `lines` in place of what was there.
    func draw(_ lines: [String]) {
        guard self.kind == .screen, self.flush() else { return }
        var text = self.isScreenOpen ? "" : "\u{1B}[?1049h\u{1B}[?25l"
        self.isScreenOpen = true
        // Begun and ended as one update, each line cleared behind its end: nothing flickers.
        text +=
            "\u{1B}[?2026h\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J\u{1B}[?2026l"
        self.pending += Array(text.utf8)
        _ = self.flush()
    }

    /// Adds one line; it is left out when the reader is far behind.
    func write(line: String) {
        guard self.kind == .lines, self.flush() || self.pending.count < Self.pendingByteCountMax else { return }
        self.pending += Array((line + "\n").utf8)
        _ = self.flush()
    }

    /// Gives the screen back, with what was on it before. Waits a little for whoever reads.
    func leave() {
        // Ends a torn sequence too, should the last drawing not have gone out whole.
        if self.isScreenOpen { self.pending += Array("\u{1B}[?2026l\u{1B}[?25h\u{1B}[?1049l".utf8) }
        self.isScreenOpen = false
        let deadline = ContinuousClock.now + Self.leaveTimeMax
        while !self.flush() && !self.isGone && ContinuousClock.now < deadline {
            var room = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
            poll(&room, 1, Self.leavePollMilliseconds)
        }
    }

    /// - Returns: whether nothing is left to write.
    private func flush() -> Bool {
        while !self.pending.isEmpty && !self.isGone {
            let count = Glibc.write(self.descriptor, self.pending, self.pending.count)
            if count > 0 {
                self.pending.removeFirst(count)
            } else if count < 0 && errno == EAGAIN {
                return false
            } else if count == 0 || errno != EINTR {
                self.isGone = true
            }
        }
        return !self.isGone
    }
}
