/// Appends compact JSON to a reused buffer. Members leave in the order in which they are written.
public struct JSONWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init(capacity: Int = 0) { self.bytes.reserveCapacity(capacity) }

    /// Empties the buffer and keeps its storage.
    public mutating func clear() {
        self.bytes.removeAll(keepingCapacity: true)
        self.needsComma = false
    }

    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        self.separate()
        self.bytes.append(UInt8(ascii: "{"))
        self.needsComma = false
        body(&self)
        self.bytes.append(UInt8(ascii: "}"))
        self.needsComma = true
    }

    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        self.separate()
        self.bytes.append(UInt8(ascii: "["))
        self.needsComma = false
        body(&self)
        self.bytes.append(UInt8(ascii: "]"))
        self.needsComma = true
    }

    /// A key that needs no escapes; its value must follow.
    public mutating func key(_ key: StaticString) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    /// A key known at run time only; its value must follow.
    public mutating func key(dynamic key: String) {
        self.string(key)
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    public mutating func string(_ text: some StringProtocol) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        // Callers in other modules do not get this specialized: byte by byte it costs them ten times as much.
        let isWritten: Void? = text.utf8.withContiguousStorageIfAvailable { self.escape($0) }
        if isWritten == nil { for byte in text.utf8 { self.escape(byte) } }
        self.bytes.append(UInt8(ascii: "\""))
        self.needsComma = true
    }

    /// UTF-8 that was checked already.
    public mutating func string(_ text: UnsafeBufferPointer<UInt8>) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        self.escape(text)
        self.bytes.append(UInt8(ascii: "\""))
        self.needsComma = true
    }

    public mutating func integer(_ value: Int64) {
        self.separate()
        if value < 0 { self.bytes.append(UInt8(ascii: "-")) }
        Decimal6.writeInteger(value.magnitude, to: &self.bytes)
        self.needsComma = true
    }
    public mutating func integer(_ value: Int) { self.integer(Int64(value)) }

    /// Millionths as decimal text in quotes, as the venue writes prices and sizes.
    public mutating func decimalString(_ micros: Int64) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        Decimal6.write(micros, to: &self.bytes)
        self.bytes.append(UInt8(ascii: "\""))
        self.needsComma = true
    }

    /// Millionths as a plain JSON number.
    public mutating func decimal(_ micros: Int64) {
        self.separate()
        Decimal6.write(micros, to: &self.bytes)
        self.needsComma = true
    }

    public mutating func bool(_ value: Bool) { self.literal(value ? "true" : "false") }
    public mutating func null() { self.literal("null") }

    /// A value that is JSON already.
    public mutating func raw(_ json: some Sequence<UInt8>) {
        self.separate()
        self.bytes.append(contentsOf: json)
        self.needsComma = true
    }

    private mutating func literal(_ text: StaticString) {
        self.separate()
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        self.needsComma = true
    }

    private mutating func separate() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in text.indices where text[index] < 0x20 || text[index] == 0x22 || text[index] == 0x5C {
            self.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
            self.escape(text[index])
            start = index + 1
        }
        self.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            self.bytes.append(UInt8(ascii: "\\"))
            self.bytes.append(byte)
        case 0x0A: self.bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
        case 0..<0x20:
            let hex = Array("0123456789abcdef".utf8)
            self.bytes.append(contentsOf: Array("\\u00".utf8))
            self.bytes.append(hex[Int(byte >> 4)])
            self.bytes.append(hex[Int(byte & 15)])
        default: self.bytes.append(byte)
        }
    }
}
