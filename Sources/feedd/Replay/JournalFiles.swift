import Compression
import DaemonKit
import Glibc
import Shared

/// The files of a raw journal, read line by line in the order in which they were written. Nothing is changed in them.
final class JournalFiles {
    struct Problem: Error, CustomStringConvertible {
        let path: String
        let reason: String
        var description: String { "\(self.path): \(self.reason)" }
    }

    private var paths: ArraySlice<String>
    private var file: (path: String, recorded: RecordedFile)?

    /// - Parameter path: a file, a directory of such files, or a state directory that has one.
    init(_ path: String) throws(Problem) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Problem(path: path, reason: String(cString: strerror(errno))) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: break
        case S_IFREG:
            self.paths = [path]
            return
        // Who opens a pipe waits for its writer.
        default: throw Problem(path: path, reason: "it is neither a file nor a directory")
        }
        var paths: [String] = []
        for directory in [path, "\(path)/\(RawJournal.name)"] where paths.isEmpty && access(directory, F_OK) == 0 {
            do throws(JournalError) {
                paths = try SegmentedJournal.files(of: directory, name: RawJournal.name)
            } catch { throw Problem(path: directory, reason: "\(error)") }
        }
        guard !paths.isEmpty else { throw Problem(path: path, reason: "there is no file of a raw journal in it") }
        self.paths = paths[...]
    }

    /// Puts the next line into `line`.
    ///
    /// - Returns: false when there is none.
    /// - Throws: what is wrong with a file; the next call goes on with the file after it.
    func next(_ line: inout [UInt8]) throws(Problem) -> Bool {
        while true {
            if let file = self.file {
                do throws(RecordedFile.Problem) {
                    let isFound = try file.recorded.nextLine { bytes in
                        line.removeAll(keepingCapacity: true)
                        line.append(contentsOf: bytes)
                        return true
                    }
                    if isFound == true { return true }
                    self.file = nil
                } catch {
                    self.file = nil
                    throw Problem(path: file.path, reason: "\(error)")
                }
            }
            guard let path = self.paths.popFirst() else { return false }
            do throws(RecordedFile.Problem) { self.file = (path, try RecordedFile(path)) } catch {
                throw Problem(path: path, reason: "\(error)")
            }
        }
    }
}
