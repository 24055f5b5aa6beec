import CLinux
import Glibc

/// A small file that is replaced whole: whoever reads it finds the old text or the new one. After a power loss it may hold
/// neither, so only what can be learned again belongs here.
public struct StateFile: Sendable {
    public enum Problem: Error, Equatable, CustomStringConvertible {
        /// A directory, a pipe, a device.
        case notRegular
        case failed(SystemError)

        public var description: String {
            switch self {
            case .notRegular: "it is no regular file"
            case .failed(let error): "\(error)"
            }
        }
    }

    public let path: String
    private let byteCountMax: Int

    /// - Parameter byteCountMax: a larger file is not read.
    public init(_ path: String, byteCountMax: Int) {
        self.path = path
        self.byteCountMax = byteCountMax
    }

    /// - Returns: `nil` when there is no such file.
    public func read() throws(Problem) -> [UInt8]? {
        // Not blocking: a pipe of that name must not hold the daemon up.
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .failed(SystemError("open"))
        }
        defer { close(descriptor) }
        guard Self.isRegular(descriptor) else { throw .notRegular }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .failed(SystemError("read")) }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= self.byteCountMax else { throw .failed(SystemError("read", code: EFBIG)) }
        }
    }

    public func write(_ bytes: [UInt8]) throws(Problem) {
        let draft = self.path + ".new"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let descriptor = clinux_open(draft, flags, 0o600)
        guard descriptor >= 0 else { throw .failed(SystemError("open")) }
        guard Self.isRegular(descriptor) else {
            close(descriptor)
            throw .notRegular
        }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                let error = SystemError("write")
                close(descriptor)
                throw .failed(error)
            }
            written += count
        }
        close(descriptor)
        guard rename(draft, self.path) == 0 else { throw .failed(SystemError("rename")) }
    }

    private static func isRegular(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
