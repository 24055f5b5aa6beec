import Logging
import Shared

/// Tells of each frame at trace, as it is on the wire. To be asked whether it is on before anything is made for it.
struct FrameTrace {
    let isOn: Bool
    private let logger: Logger

    init(_ logger: Logger) {
        self.isOn = logger.isTracing
        self.logger = logger
    }

    /// - Parameters:
    ///   - frame: without its length; it may be nonsense.
    ///   - line: the facts that name the connection.
    func received(_ frame: UnsafeBufferPointer<UInt8>, on line: Logger.Metadata) {
        let envelope = try? Envelope(reading: frame)
        self.logger.trace(
            "Frame received",
            metadata: line.merging([
                "type": "\(envelope?.type ?? "")", "seq": "\(envelope?.sequence ?? 0)", "bytes": "\(frame.count)",
                "body": .traced(envelope?.body ?? frame),
            ]) { $1 })
    }

    /// - Parameter frames: whole ones, with their lengths.
    func sent(_ frames: ArraySlice<UInt8>, on line: Logger.Metadata) {
        var rest = frames
        while rest.count > 4 {
            let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest.dropFirst(4).prefix(count).withUnsafeBufferPointer { frame in
                let envelope = try? Envelope(reading: frame)
                self.logger.trace(
                    "Frame sent",
                    metadata: line.merging([
                        "type": "\(envelope?.type ?? "")", "seq": "\(envelope?.sequence ?? 0)",
                        "bytes": "\(frame.count)", "body": .traced(envelope?.body ?? frame),
                    ]) { $1 })
            }
            rest = rest.dropFirst(4 + count)
        }
    }
}
