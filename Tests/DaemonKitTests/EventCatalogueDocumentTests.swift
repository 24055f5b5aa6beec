import CLinux
import Glibc
import Logging
import Testing

@testable import DaemonKit

/// What the catalogue gives to others: systemd's message catalogue, and the tables of `docs/OPERATIONS.md`.
@Suite struct EventCatalogueDocumentTests {
    private static let journalctl = "/usr/bin/journalctl"

    /// What a shell command says, and whether it succeeded.
    private static func run(_ command: String) throws -> (text: String, isSuccess: Bool) {
        let stream = try #require(popen("\(command) 2>&1", "r"))
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, stream), count > 0 { text += chunk[..<count] }
        return (String(decoding: text, as: UTF8.self), pclose(stream) == 0)
    }

    @Test(.enabled(if: access(journalctl, X_OK) == 0, "journalctl is not installed"))
    func systemdTakesTheCatalogueInAndTellsItAgain() throws {
        let directory = try DaemonTestDirectory()
        for path in ["usr", "usr/lib", "usr/lib/systemd", "usr/lib/systemd/catalog"] {
            try #require(mkdir(directory.path(path), 0o700) == 0)
        }
        try directory.write(EventCatalogue.catalogFile, to: "usr/lib/systemd/catalog/polybot.catalog")
        let update = try Self.run("\(Self.journalctl) --root=\(directory.root) --update-catalog")
        // It says what it cannot read, and goes on.
        #expect(update.isSuccess && update.text.isEmpty, "\(update.text)")
        let list = try Self.run("\(Self.journalctl) --root=\(directory.root) --list-catalog --no-pager")
        let dump = try Self.run("\(Self.journalctl) --root=\(directory.root) --dump-catalog --no-pager")
        let marked = EventCatalogue.entries.filter { $0.id != nil }
        #expect(list.text.split(separator: "\n").count == marked.count)
        for entry in marked {
            #expect(list.text.contains("\(entry.id!) polybot: \(entry.sentence)\n"))
            #expect(dump.text.contains("\n\(entry.meaning)\n") && dump.text.contains(" \(entry.advice)\n"))
            for fact in entry.facts { #expect(dump.text.contains("  \(fact): @POLYBOT_\(fact.uppercased())@\n")) }
        }
    }

    // MARK: docs/OPERATIONS.md

    private static let path = "\(EventCatalogueTests.root)/docs/OPERATIONS.md"
    private static let tables = [
        "events": EventCatalogue.eventTable, "ids": EventCatalogue.idTable, "fields": EventCatalogue.fieldTable,
    ]

    /// With `POLYBOT_WRITE_DOCUMENTS=1` the tables are written into the document instead.
    @Test func theTablesOfTheDocumentAreTheCatalogues() throws {
        var document = DaemonTest.read(Self.path)
        let isWriting = getenv("POLYBOT_WRITE_DOCUMENTS") != nil
        for (name, table) in Self.tables {
            let head = try #require(document.firstRange(of: "<!-- \(name): made from the code -->\n"))
            let tail = try #require(document[head.upperBound...].firstRange(of: "<!-- end of \(name) -->\n"))
            if isWriting {
                document.replaceSubrange(head.upperBound..<tail.lowerBound, with: table)
            } else {
                #expect(
                    document[head.upperBound..<tail.lowerBound] == table,
                    "run this suite with POLYBOT_WRITE_DOCUMENTS=1 to write the table of \(name) anew")
            }
        }
        guard isWriting else { return }
        let descriptor = clinux_open(Self.path, O_WRONLY | O_TRUNC, 0)
        defer { close(descriptor) }
        let bytes = Array(document.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    }

    @Test func whatTheDocumentSaysOfTraceIsTheCodes() {
        #expect(DaemonTest.read(Self.path).contains("cut after \(Logger.MetadataValue.tracedByteCountMax) bytes"))
        #expect(Configuration().logging.level == .info)
    }

    @Test func eventsOfTheDocumentsCommandsAreInTheCatalogue() {
        let words = DaemonTest.read(Self.path).split { " `|\n".contains($0) }
        let names = words.filter { $0.hasPrefix("POLYBOT_EVENT=") }.map { String($0.dropFirst(14)) }
        let ids = words.filter { $0.hasPrefix("MESSAGE_ID=") }.map { String($0.dropFirst(11)) }
        #expect(!names.isEmpty && Set(names).isSubset(of: EventCatalogue.entries.map(\.name)))
        #expect(!ids.isEmpty && Set(ids).isSubset(of: EventCatalogue.entries.compactMap(\.id)))
    }
}
