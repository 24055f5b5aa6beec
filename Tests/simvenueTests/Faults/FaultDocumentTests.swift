import Glibc
import Shared
import Testing

@testable import simvenue

/// `docs/SIMVENUE.md` and `--faults` say what the code knows.
struct FaultDocumentTests {
    private static let path =
        #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }
        + "/docs/SIMVENUE.md"
    private static let parts = [
        "flags": "```\n" + Flags.program.help + "\n```\n", "faults": FaultTable.document,
    ]

    /// With `POLYBOT_WRITE_DOCUMENTS=1` the parts are written into the document instead.
    @Test func thePartsOfTheDocumentAreTheCodes() throws {
        var document = String(decoding: try RecordingFile.read(Self.path), as: UTF8.self)
        let isWriting = getenv("POLYBOT_WRITE_DOCUMENTS") != nil
        for (name, text) in Self.parts {
            let head = try #require(document.firstRange(of: "<!-- \(name): made from the code -->\n"))
            let tail = try #require(document[head.upperBound...].firstRange(of: "<!-- end of \(name) -->\n"))
            if isWriting {
                document.replaceSubrange(head.upperBound..<tail.lowerBound, with: text)
            } else {
                #expect(
                    document[head.upperBound..<tail.lowerBound] == text,
                    "run this suite with POLYBOT_WRITE_DOCUMENTS=1 to write the \(name) anew")
            }
        }
        guard isWriting else { return }
        let file = try #require(fopen(Self.path, "we"))
        defer { fclose(file) }
        let bytes = Array(document.utf8)
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    @Test func everyFaultThatTheDocumentAsksForIsOne() throws {
        let document = String(decoding: try RecordingFile.read(Self.path), as: UTF8.self)
        var count = 0
        for line in document.split(separator: "\n") {
            guard let start = line.firstIndex(of: "{"), let end = line.lastIndex(of: "}"), line.contains("\"do\":\"")
            else { continue }
            // Whatever stands for "any" in a sentence is no order.
            guard !line.contains("…") else { continue }
            _ = try FaultOrder(parsing: Array(line[start...end].utf8), further: ["at_ms"])
            count += 1
        }
        #expect(count >= 5)
    }

    @Test func theListNamesEveryFaultAndParameter() {
        let lines = FaultTable.text.split(separator: "\n").map(String.init)
        for row in FaultTable.rows {
            #expect(lines.contains(row.name) && lines.contains("  " + row.sentence))
            for parameter in row.parameters { #expect(lines.contains("    " + parameter.text)) }
        }
    }
}
