import Glibc

/// The three streams that every process has.
enum StandardStreams {
    /// Makes sure that descriptors 0, 1 and 2 exist, or a socket could get number 1 and our lines with it; a reader that
    /// is gone is an error of `write`, not the end of the process.
    static func prepare() {
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Writes all of `text`, waiting for room.
    ///
    /// - Returns: whether somebody took it: false when the reader is gone or the disk is full.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32 = 1) -> Bool {
        Self.write(Array(text.utf8), to: descriptor)
    }

    /// As above, for bytes.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32 = 1) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress! + sent, bytes.count - sent)
                if count > 0 {
                    sent += count
                } else if count < 0 && errno == EAGAIN {
                    // Somebody who shares the stream made it non-blocking.
                    var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&room, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
