import Compression
import Glibc
import Shared

/// The files of a segmented journal, read line by line in the order in which they were written. Nothing is changed in them.
public final class JournalFiles {
    public struct Problem: Error, CustomStringConvertible {
        public let path: String
        public let reason: String
        /// Whether the file ends within a block, as after a kill; all before that was handed out.
        public var isTorn = false
        public var description: String { "\(self.path): \(self.reason)" }
    }

    /// Our own blocks are checked before anything of them is handed out; other files are read as they come.
    private enum Source {
        case blocks(RecordedBlocks)
        case text(RecordedFile)
    }

    private var paths: ArraySlice<String>
    private var file: (path: String, source: Source)?
    /// Of the block that was read last; `position` is where its next line begins.
    private var block: [UInt8] = []
    private var position = 0

    /// - Parameters:
    ///   - path: a file, a directory of such files, or a state directory that has one.
    ///   - name: the journal's, and its directory's in a state directory.
    public convenience init(_ path: String, name: String) throws(Problem) {
        self.init(try Self.paths(path, name: name))
    }

    public init(_ paths: [String]) { self.paths = paths[...] }

    /// The paths of the files, the oldest first.
    public static func paths(_ path: String, name: String) throws(Problem) -> [String] {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Problem(path: path, reason: String(cString: strerror(errno))) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: break
        case S_IFREG: return [path]
        // Who opens a pipe waits for its writer.
        default: throw Problem(path: path, reason: "it is neither a file nor a directory")
        }
        var paths: [String] = []
        for directory in [path, "\(path)/\(name)"] where paths.isEmpty && access(directory, F_OK) == 0 {
            do throws(JournalError) {
                paths = try SegmentedJournal.files(of: directory, name: name)
            } catch { throw Problem(path: directory, reason: "\(error)") }
        }
        guard !paths.isEmpty else {
            throw Problem(path: path, reason: "there is no file of a journal \"\(name)\" in it")
        }
        return paths
    }

    /// Of the file that the last line came from; empty before the first.
    public var path: String { self.file?.path ?? "" }

    /// Puts the next line into `line`.
    ///
    /// - Returns: false when there is none.
    /// - Throws: what is wrong with a file; the next call goes on with what can be read after it.
    public func next(_ line: inout [UInt8]) throws(Problem) -> Bool {
        while true {
            if let (path, source) = self.file {
                do throws(RecordedFile.Problem) {
                    if try self.next(&line, of: source) { return true }
                    self.file = nil
                } catch {
                    // A block that is damaged may have whole ones behind it; a disk that does not answer has nothing.
                    switch (source, error) {
                    case (.text, _), (.blocks, .system): self.file = nil
                    case (.blocks, _): break
                    }
                    throw Problem(path: path, reason: "\(error)", isTorn: error == .compression(.torn))
                }
            }
            guard let path = self.paths.popFirst() else { return false }
            do throws(RecordedFile.Problem) {
                if let blocks = try RecordedBlocks(path) {
                    self.file = (path, .blocks(blocks))
                } else {
                    self.file = (path, .text(try RecordedFile(path)))
                }
            } catch { throw Problem(path: path, reason: "\(error)") }
        }
    }

    private func next(_ line: inout [UInt8], of source: Source) throws(RecordedFile.Problem) -> Bool {
        switch source {
        case .text(let file):
            return try file.nextLine { bytes in
                line.removeAll(keepingCapacity: true)
                line.append(contentsOf: bytes)
                return true
            } ?? false
        case .blocks(let blocks):
            while true {
                if self.takeLine(&line) { return true }
                self.block.removeAll(keepingCapacity: true)
                self.position = 0
                guard try blocks.next(&self.block) else { return false }
            }
        }
    }

    /// - Returns: false when no whole line is left in the block.
    private func takeLine(_ line: inout [UInt8]) -> Bool {
        self.block.withUnsafeBufferPointer { block in
            guard self.position < block.count, let base = block.baseAddress,
                let found = memchr(base + self.position, Int32(UInt8(ascii: "\n")), block.count - self.position)
            else { return false }
            let end = UnsafeRawPointer(base).distance(to: found)
            line.removeAll(keepingCapacity: true)
            line.append(contentsOf: block[self.position..<end])
            self.position = end + 1
            return true
        }
    }
}
