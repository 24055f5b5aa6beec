import Compression
import Glibc

/// Reads a recording from disk, compressed or not.
enum RecordingFile {
    /// - Parameter noteProblem: gets what is wrong with the file's end. What was read before it is a recording all the same:
    ///   who was killed while recording leaves such an end.
    static func read(
        _ path: String, byteCountMax: Int = Recording.byteCountMax,
        noteProblem: (RecordingProblem) -> Void = { _ in }
    ) throws(RecordingProblem) -> [UInt8] {
        var bytes: [UInt8] = []
        do throws(RecordedFile.Problem) {
            let file = try RecordedFile(path)
            // One more than allowed is enough to know.
            while bytes.count <= byteCountMax,
                try file.read({ piece in
                    bytes.append(contentsOf: piece)
                    return bytes.count <= byteCountMax
                })
            {}
        } catch {
            let problem = RecordingProblem(sentence: error.description)
            guard case .compression = error, let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { throw problem }
            bytes.removeSubrange((end + 1)...)
            noteProblem(problem)
        }
        return bytes
    }
}
