import Glibc

/// Reads a recording from disk.
enum RecordingFile {
    private static let chunkByteCount = 1 << 20

    static func read(_ path: String, byteCountMax: Int = Recording.byteCountMax) throws(RecordingProblem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.problem() }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.chunkByteCount)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw Self.problem() }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            // One more than allowed is enough to know.
            guard bytes.count <= byteCountMax else { return bytes }
        }
    }

    private static func problem() -> RecordingProblem { RecordingProblem(sentence: String(cString: strerror(errno))) }
}
