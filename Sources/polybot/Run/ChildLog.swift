import CLinux
import Glibc
import Shared

/// What one child wrote: a file of bounded size, and the last lines for when something goes wrong.
///
/// The file is `NAME.log`; when it is full it becomes `NAME.log.1`, in place of the one before. A full disk costs lines,
/// never a child.
final class ChildLog {
    /// Bytes of one file; there are at most two.
    static let fileByteCountMax = 8 << 20
    /// Lines kept in memory.
    static let lineCountMax = 20
    /// Longest line kept in memory, in bytes.
    static let lineByteCountMax = 2_048

    let path: String
    private(set) var lastLines: [String] = []
    /// Called with every line, without its end.
    var onLine: (String) -> Void = { _ in }
    private var descriptor: Int32
    private var byteCount: Int
    private var line: [UInt8] = []

    init(path: String) {
        self.path = path
        self.descriptor = Self.open(path)
        var status = stat()
        self.byteCount = self.descriptor >= 0 && fstat(self.descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    private static func open(_ path: String) -> Int32 {
        clinux_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0o600)
    }

    /// Takes what a child wrote.
    func take(_ bytes: UnsafeRawBufferPointer) {
        self.write(bytes)
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                self.endLine()
            } else if self.line.count < Self.lineByteCountMax {
                self.line.append(byte)
            }
        }
    }

    /// The child has ended: what it wrote last may lack its line end.
    func endLine() {
        guard !self.line.isEmpty else { return }
        let text = String(decoding: self.line, as: UTF8.self)
        self.line.removeAll(keepingCapacity: true)
        if self.lastLines.count == Self.lineCountMax { self.lastLines.removeFirst() }
        self.lastLines.append(text)
        self.onLine(text)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) {
        if self.byteCount + bytes.count > Self.fileByteCountMax && self.byteCount > 0 {
            rename(self.path, self.path + ".1")
            if self.descriptor >= 0 { close(self.descriptor) }
            self.descriptor = Self.open(self.path)
            self.byteCount = 0
        }
        guard self.descriptor >= 0 else { return }
        self.byteCount += max(0, Glibc.write(self.descriptor, bytes.baseAddress, bytes.count))
    }
}

/// simvenue's first line: `{"ready":true,"port":41233}`.
enum ReadyLine {
    /// The port that `line` tells of; `nil` for every other line.
    static func port(in line: String) -> Int? {
        guard line.hasPrefix("{"), let value = try? JSONValue(parsing: Array(line.utf8)), value["ready"]?.bool == true,
            let port = value["port"]?.integer, (1...65_535).contains(port)
        else { return nil }
        return Int(port)
    }
}
