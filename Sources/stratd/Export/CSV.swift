import Shared

/// Comma-separated values. Source: RFC 4180: lines end with CR LF, what needs it stands in quotes, quotes are doubled.
///
/// Numbers are written as they are. A text that a spreadsheet would take for a formula gets an apostrophe before it, whoever
/// wrote it: the venue's ids come from outside, and a file may have been edited.
struct CSV {
    /// What spreadsheets begin a formula with, or skip before one.
    private static let formulaStarts: Set<UInt8> = [
        UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "\t"),
        UInt8(ascii: "\r"), UInt8(ascii: "\n"),
    ]
    private static let quotedBytes: Set<UInt8> = [
        UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\r"), UInt8(ascii: "\n"),
    ]

    private(set) var bytes: [UInt8] = []
    private var isRowEmpty = true

    /// - Parameter header: the names of the columns.
    init(_ header: [String]) {
        for name in header { self.text(name) }
        self.endRow()
    }

    mutating func text(_ text: String) {
        let isFormula = text.utf8.first.map { Self.formulaStarts.contains($0) } ?? false
        self.field(isFormula ? "'" + text : text)
    }

    /// Millionths as a decimal: "-0.25".
    mutating func decimal(_ micros: Int64) {
        self.beginField()
        Decimal6.write(micros, to: &self.bytes)
    }

    mutating func integer(_ number: Int64) { self.field(String(number)) }
    mutating func time(_ time: Timestamp) { self.field(time.rfc3339) }

    mutating func endRow() {
        self.bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
        self.isRowEmpty = true
    }

    /// The bytes so far, which are forgotten.
    mutating func take() -> [UInt8] {
        defer { self.bytes.removeAll(keepingCapacity: true) }
        return self.bytes
    }

    private mutating func beginField() {
        if !self.isRowEmpty { self.bytes.append(UInt8(ascii: ",")) }
        self.isRowEmpty = false
    }

    private mutating func field(_ text: String) {
        self.beginField()
        guard text.utf8.contains(where: { Self.quotedBytes.contains($0) }) else {
            self.bytes += text.utf8
            return
        }
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { self.bytes.append(byte) }
            self.bytes.append(byte)
        }
        self.bytes.append(UInt8(ascii: "\""))
    }
}
