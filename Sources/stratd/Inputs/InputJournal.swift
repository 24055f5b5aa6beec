import DaemonKit
import Glibc
import Shared

/// All that the engine took in, and what it answered, on disk: `stratd replay` and `polybot explain MARKET TIME` run it again.
///
/// A line is `{"f":8,"i":…,"t":…,"in":"delta","sent":…,"body":{…},"out":[…]}`. `f` counts the lines of a run, lost ones included; `i` and
/// `t` are the moment on both clocks, nanoseconds and microseconds; a frame's body is what came, byte for byte. `out` are
/// the actions, where there are any. A line whose input is `state` holds the whole engine instead: the reader may begin there. There
/// is one at the start, in each file, after lines that were lost, and every ten minutes. Confined to the daemon's loop.
final class InputJournal {
    static let name = "input"
    /// The input that is none, but the engine as it stands.
    static let stateName = "state"
    /// Numbers and names of a line, at most.
    private static let frameByteCountMax = 256
    private static let megabyte = 1_000_000
    /// Bytes that wait for the disk, at most: the engine of some thousand markets, and what comes in meanwhile.
    private static let bufferByteCountMax = 32 << 20
    /// Between two states in a file: what a reader must run before it comes to the time that it wants.
    static let stateInterval = Duration.seconds(600)
    /// A state that was lost is not written again at once: it may be what fills the buffer.
    static let stateIntervalMin = Duration.seconds(10)

    let file: SegmentedJournal
    private var lineCount: Int64 = 0
    /// Of the last state, with what was known of the files then.
    private var stateAt: Instant?
    private var stateFile: Int64 = 0
    private var droppedCount: Int64 = 0
    private var body = JSONWriter()
    private var answer = JSONWriter()

    /// - Parameter directory: the state directory; the files are in its `input`.
    /// - Throws: code 77 when another stratd writes there.
    init(directory: String, megabytesMax: Int, daysMax: Int) throws(DaemonExit) {
        let byteCountMax = megabytesMax * Self.megabyte
        do throws(JournalError) {
            self.file = try SegmentedJournal(
                directory: "\(directory)/\(Self.name)", name: Self.name, byteCountMax: byteCountMax,
                dayCountMax: daysMax == 0 ? nil : daysMax,
                // Of small journals half, so that what waits is not all that may be kept.
                bufferByteCountMax: min(Self.bufferByteCountMax, byteCountMax / 2))
        } catch { throw error.exit }
    }

    /// For tests, on a file of their own.
    init(_ file: SegmentedJournal) { self.file = file }

    /// Keeps an input and what the engine answered.
    ///
    /// - Parameter frame: the body of the frame that it came in; of one that only shows that the line is alive nothing is kept.
    func note(
        _ input: EngineInput, frame: UnsafeBufferPointer<UInt8>? = nil, _ actions: [EngineAction], now: Moment
    ) {
        self.answer.clear()
        if !actions.isEmpty { self.answer.array { for action in actions { action.write(to: &$0) } } }
        guard let frame, !input.isAlive else {
            self.body.clear()
            input.writeBody(to: &self.body)
            self.body.bytes.withUnsafeBufferPointer { self.append(input.name, input.sentTime, $0, now) }
            return
        }
        self.append(input.name, input.sentTime, frame, now)
    }

    /// Keeps the whole engine, where it is time for that. To be called before an input, each second or so.
    func noteState(_ engine: StrategyEngine, now: Moment) {
        let status = self.file.status
        guard self.needsState(status, now: now.instant) else { return }
        self.stateAt = now.instant
        self.stateFile = status.fileNumber
        self.droppedCount = status.droppedCount
        self.body.clear()
        engine.write(to: &self.body)
        self.answer.clear()
        self.body.bytes.withUnsafeBufferPointer { self.append(Self.stateName, nil, $0, now) }
        // It is large, and rare.
        self.body = JSONWriter()
    }

    /// Whether whoever reads from here on could not begin, or would have to read too much.
    private func needsState(_ status: SegmentedJournal.Status, now: Instant) -> Bool {
        guard let last = self.stateAt else { return true }
        // Which file the first state went to is known when it was written.
        if self.stateFile == 0 { self.stateFile = status.fileNumber }
        if status.fileNumber != self.stateFile { return true }
        let hasLost = status.droppedCount > self.droppedCount && status.failure == nil
        return now - last >= (hasLost ? Self.stateIntervalMin : Self.stateInterval)
    }

    private func append(_ name: String, _ sentTime: Timestamp?, _ body: UnsafeBufferPointer<UInt8>, _ now: Moment) {
        let byteCountMax = Self.frameByteCountMax + body.count + self.answer.bytes.count
        self.file.append(at: now.time, byteCountMax: byteCountMax) { bytes in
            Self.put(#"{"f":"#, &bytes)
            Self.put(self.lineCount, &bytes)
            Self.put(#","i":"#, &bytes)
            Self.put(now.instant.nanoseconds, &bytes)
            Self.put(#","t":"#, &bytes)
            Self.put(now.time.microseconds, &bytes)
            Self.put(#","in":""#, &bytes)
            bytes.append(contentsOf: name.utf8)
            bytes.append(UInt8(ascii: "\""))
            if let sentTime {
                Self.put(#","sent":"#, &bytes)
                Self.put(sentTime.microseconds, &bytes)
            }
            if !body.isEmpty {
                Self.put(#","body":"#, &bytes)
                Self.put(body, &bytes)
            }
            if !self.answer.bytes.isEmpty {
                Self.put(#","out":"#, &bytes)
                bytes.append(contentsOf: self.answer.bytes)
            }
            Self.put("}\n", &bytes)
        }
        self.lineCount += 1
    }

    /// JSON, whose line ends can only be between its parts, where a space is as good.
    private static func put(_ json: UnsafeBufferPointer<UInt8>, _ bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: json)
        guard let base = json.baseAddress, memchr(base, Int32(UInt8(ascii: "\n")), json.count) != nil else { return }
        for index in start..<bytes.count where bytes[index] == UInt8(ascii: "\n") {
            bytes[index] = UInt8(ascii: " ")
        }
    }

    private static func put(_ number: Int64, _ bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        Decimal6.writeInteger(number.magnitude, to: &bytes)
    }

    private static func put(_ text: StaticString, _ bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
