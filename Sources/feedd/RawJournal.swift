import DaemonKit
import Glibc
import Shared

/// What the venue sent, text by text as it came, for whoever wants to see it again: `simvenue --replay FILE` plays it.
///
/// A line is `{"f":8,"recv_ms":1790000000123,"connection":0,"received_time":1790000000123456,"raw":{…}}`: `f` counts all lines,
/// lost ones included, `raw` is the venue's JSON byte for byte, or another text as a JSON string. A connection that carries the same
/// as another has `"follows":0` behind it, with the other's number. A line without a text has a `JournalEvent` instead. Confined
/// to the daemon's loop.
final class RawJournal {
    /// Numbers and names of a line, at most.
    private static let frameByteCountMax = 256
    private static let megabyte = 1_000_000
    static let name = "raw"

    let file: SegmentedJournal
    /// Whose markets were named last.
    private var namedFile: Int64?
    /// Each odd connection carries what the one before it carries.
    private let hasFollowers: Bool
    private var lineCount: Int64 = 0
    private var writer = JSONWriter()

    /// - Parameter directory: the state directory; the files are in its `raw`.
    /// - Throws: code 77 when another feedd writes there.
    init(directory: String, megabytesMax: Int, daysMax: Int, hasFollowers: Bool = false) throws(DaemonExit) {
        self.hasFollowers = hasFollowers
        do throws(JournalError) {
            self.file = try SegmentedJournal(
                directory: "\(directory)/raw", name: Self.name, byteCountMax: megabytesMax * Self.megabyte,
                dayCountMax: daysMax == 0 ? nil : daysMax)
        } catch { throw error.exit }
    }

    /// Keeps a text of the market channel.
    ///
    /// - Parameter isJSON: whether it is a whole object or array; line ends between its parts become spaces.
    func take(_ text: UnsafeBufferPointer<UInt8>, isJSON: Bool, connection: Int, received: Timestamp) {
        if isJSON { return self.append(text, connection, received) }
        self.writer.clear()
        self.writer.string(text)
        self.writer.bytes.withUnsafeBufferPointer { self.append($0, connection, received) }
    }

    /// Whether a file was begun since this was asked last: whoever reads it must be told of the markets.
    func hasNewFile(_ status: SegmentedJournal.Status) -> Bool {
        guard status.fileNumber > 0 else { return false }
        defer { self.namedFile = status.fileNumber }
        return self.namedFile.map { $0 != status.fileNumber } ?? false
    }

    /// Keeps what the texts do not tell: a line without a text, over which other readers pass.
    func note(_ event: JournalEvent, connection: Int, at time: Timestamp) {
        self.writer.clear()
        self.writer.object { event.writeMembers(to: &$0) }
        // An object of its own would be taken for a text of the venue's.
        let members = self.writer.bytes.dropFirst().dropLast()
        self.file.append(at: time, byteCountMax: members.count + Self.frameByteCountMax) { bytes in
            self.begin(&bytes, connection, time)
            bytes.append(contentsOf: members)
            Self.put(#","raw":null}"#, &bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        self.lineCount += 1
    }

    private func append(_ json: UnsafeBufferPointer<UInt8>, _ connection: Int, _ received: Timestamp) {
        self.file.append(at: received, byteCountMax: json.count + Self.frameByteCountMax) { bytes in
            self.begin(&bytes, connection, received)
            Self.put(#""raw":"#, &bytes)
            let start = bytes.count
            bytes.append(contentsOf: json)
            if let base = json.baseAddress, memchr(base, Int32(UInt8(ascii: "\n")), json.count) != nil {
                for index in start..<bytes.count where bytes[index] == UInt8(ascii: "\n") {
                    bytes[index] = UInt8(ascii: " ")
                }
            }
            bytes.append(UInt8(ascii: "}"))
            bytes.append(UInt8(ascii: "\n"))
        }
        self.lineCount += 1
    }

    private func begin(_ bytes: inout [UInt8], _ connection: Int, _ time: Timestamp) {
        Self.put(#"{"f":"#, &bytes)
        Decimal6.writeInteger(self.lineCount.magnitude, to: &bytes)
        Self.put(#","recv_ms":"#, &bytes)
        Decimal6.writeInteger((time.microseconds / 1_000).magnitude, to: &bytes)
        Self.put(#","connection":"#, &bytes)
        Decimal6.writeInteger(UInt64(connection.magnitude), to: &bytes)
        if self.hasFollowers && connection % 2 == 1 {
            Self.put(#","follows":"#, &bytes)
            Decimal6.writeInteger(UInt64(connection.magnitude) - 1, to: &bytes)
        }
        Self.put(#","received_time":"#, &bytes)
        Decimal6.writeInteger(time.microseconds.magnitude, to: &bytes)
        bytes.append(UInt8(ascii: ","))
    }

    private static func put(_ text: StaticString, _ bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whether a text that could not be read is a whole object or array all the same.
    static func isJSON(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        do throws(JSONError) {
            var reader = JSONReader(text)
            let kind = try reader.peek()
            try reader.skip()
            try reader.end()
            return kind == .object || kind == .array
        } catch { return false }
    }
}
