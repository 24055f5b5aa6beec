import Glibc
import Logging
import Shared
import Testing

@testable import DaemonKit

/// The catalogue of events against the sources that log them.
@Suite struct EventCatalogueTests {
    static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    /// Folders of `Sources/` whose sentences are catalogued, with who says them.
    static let folders: [String: EventCatalogue.Speaker] = [
        "DaemonKit": .everyDaemon, "feedd": .feedd, "scannerd": .scannerd, "stratd": .stratd,
    ]
    /// Where a sentence may come from a variable: the wrapper, whose own calls are found.
    static let wrapperFiles = ["Sources/feedd/FeedService.swift", "Sources/stratd/Service/StrategyService.swift"]

    static let calls: [LoggerCall] = Self.folders.keys.sorted().flatMap { folder in
        Self.swiftFiles(under: "Sources/\(folder)").flatMap {
            LoggerCall.all(in: DaemonTest.read("\(Self.root)/\($0)"), file: $0)
        }
    }

    private static let absence: Comment = "the sources are not where this test was built"
    static let hasSources = access("\(Self.root)/Sources/stratd", R_OK) == 0

    private static func swiftFiles(under folder: String) -> [String] {
        guard let directory = opendir("\(Self.root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var files: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".swift") { files.append("\(folder)/\(name)") }
            if !name.contains(".") { files += Self.swiftFiles(under: "\(folder)/\(name)") }
        }
        return files.sorted()
    }

    private static func speaker(of call: LoggerCall) -> EventCatalogue.Speaker? {
        Self.folders[String(call.file.split(separator: "/")[1])]
    }

    // MARK: Sentences

    @Test(.enabled(if: Self.hasSources, Self.absence))
    func everySentenceAtInfoOrAboveIsInTheCatalogue() {
        // A scan that finds nothing would prove nothing.
        #expect(Self.calls.count > 60 && Set(Self.calls.map(\.file)).count > 8)
        for call in Self.calls where (call.level ?? .critical) >= .info {
            if call.sentences.isEmpty {
                #expect(
                    Self.wrapperFiles.contains(call.file),
                    "\(call.file):\(call.line) logs a sentence that is not written there: log constant sentences only")
            }
            for sentence in call.sentences {
                #expect(
                    EventCatalogue.entry(for: sentence) != nil,
                    """
                    \(call.file):\(call.line) logs "\(sentence)", which the catalogue does not explain: add an Entry with \
                    its name, meaning and advice to Sources/DaemonKit/Logging/EventCatalogue+\
                    \(call.file.split(separator: "/")[1]).swift, and run this suite with POLYBOT_WRITE_DOCUMENTS=1
                    """)
            }
        }
        for file in Self.wrapperFiles {
            #expect(Self.calls.count { $0.file == file && $0.sentences.isEmpty } == 1, "\(file) has one wrapper")
        }
    }

    @Test(.enabled(if: Self.hasSources, Self.absence), arguments: EventCatalogue.entries.map(\.name))
    func anEntryIsAsItsCallsAre(name: String) throws {
        let entry = try #require(EventCatalogue.entries.first { $0.name == name })
        let calls = Self.calls.filter { $0.sentences.contains(entry.sentence) }
        if entry.speakers == [.unitHook] {
            #expect(calls.isEmpty)
            return
        }
        #expect(!calls.isEmpty, "nobody logs \"\(entry.sentence)\" any more: take its entry out")
        #expect(Set(calls.compactMap(Self.speaker)) == Set(entry.speakers), "\(entry.name): who says it")
        if !calls.contains(where: { $0.level == nil }) {
            #expect(Set(calls.compactMap(\.level)) == Set(entry.levels), "\(entry.name): its levels")
        }
        for call in calls where call.hasAllFacts {
            let missing = Set(entry.facts).subtracting(call.facts)
            #expect(missing.isEmpty, "\(call.file):\(call.line) says nothing of \(missing.sorted())")
        }
    }

    @Test(.enabled(if: Self.hasSources, Self.absence))
    func theUnitsHookSaysItsEntries() throws {
        let hook = DaemonTest.read("\(Self.root)/systemd/unit-hook")
        let entries = EventCatalogue.entries.filter { $0.speakers == [.unitHook] }
        #expect(entries.count == hook.split(separator: "\n").count { $0.hasPrefix("MESSAGE=") })
        for entry in entries {
            let id = try #require(entry.id)
            for line in ["MESSAGE=\(entry.sentence)", "MESSAGE_ID=\(id)\n", "POLYBOT_EVENT=\(entry.name)\n"] {
                #expect(hook.contains("\n" + line), "systemd/unit-hook lacks \(line)")
            }
            for fact in entry.facts { #expect(hook.contains("\nPOLYBOT_\(fact.uppercased())=")) }
        }
    }

    @Test func namesAndIdsAreUniqueAndWellFormed() {
        let entries = EventCatalogue.entries
        #expect(Set(entries.map(\.sentence)).count == entries.count)
        #expect(Set(entries.map(\.name)).count == entries.count)
        let ids = entries.compactMap(\.id)
        #expect(Set(ids).count == ids.count && ids.count >= 25)
        for entry in entries {
            #expect(entry.name.utf8.count <= 40 && entry.name.first?.isLetter == true, "\(entry.name)")
            #expect(entry.name.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_".contains($0) }, "\(entry.name)")
            if let id = entry.id {
                #expect(id.count == 32 && id.allSatisfy { "0123456789abcdef".contains($0) }, "\(entry.name)")
            }
            #expect(!entry.levels.isEmpty && entry.levels == entry.levels.sorted(), "\(entry.name)")
            #expect(!entry.speakers.isEmpty, "\(entry.name)")
            for text in [entry.meaning, entry.advice] {
                #expect(text.hasSuffix(".") && text.utf8.count <= 240, "\(entry.name): \(text)")
                // One line of a table, one paragraph of the journal's catalogue, no field to be filled in.
                #expect(!text.contains { $0.isNewline || "|@*`".contains($0) }, "\(entry.name): \(text)")
            }
        }
    }

    @Test func keysThatEntriesNameAreInTheConfiguration() {
        let keys = Set(ConfigurationKey.all.map { "\($0.section).\($0.name)" })
        let sections = Set(ConfigurationKey.all.map(\.section))
        for entry in EventCatalogue.entries {
            for word in (entry.meaning + " " + entry.advice).split(separator: " ") {
                let word = String(word).trimmingPunctuation
                let parts = word.split(separator: ".")
                guard parts.count == 2, sections.contains(String(parts[0])) else { continue }
                #expect(keys.contains(word), "\(entry.name) names \(word)")
            }
        }
    }

    // MARK: Facts

    @Test(.enabled(if: Self.hasSources, Self.absence))
    func everyFactIsExplainedAndEveryExplanationHasItsFact() {
        let explained = EventCatalogue.facts.map(\.name)
        #expect(Set(explained).count == explained.count)
        let hooks = EventCatalogue.entries.filter { $0.speakers == [.unitHook] }.flatMap(\.facts)
        let logged = Self.calls.reduce(into: Set(hooks)) { $0.formUnion($1.facts) }
        #expect(
            logged.subtracting(explained).isEmpty,
            "facts without an explanation: add them to EventCatalogue.facts in EventCatalogue+Documents.swift")
        #expect(Set(explained).subtracting(logged).isEmpty, "explanations of facts that nobody logs")
        // It would stand beside the name of the event, in the same field.
        #expect(!logged.contains("event"))
    }

    // MARK: The scan itself

    @Test func theScanFindsCallsInEveryShape() {
        let source = ##"""
            // self.logger.info("In a comment")
            /* self.logger.info("In /* a nested */ comment") */
            let text = "self.logger.info(\"In a text\")"
            let raw = #"self.logger.info("In a raw text")"#
            self.logger.info("One line", metadata: ["a": "\(b["not_a_fact"]!)", "c": "x"])
            self.logger.warning(
                // Why.
                "Two lines",
                metadata: [
                    "d": "\(e.map { "f" } ?? "none")",
                ])
            logger
                .error("A chain")
            self.logger.log(level: isBad ? .critical : .notice, "Chosen level", metadata: Self.facts(exit))
            if self.warn("By the wrapper", ["g": "h"]) {}
            self.logger.notice(isGood ? "First" : "Second")
            self.logger.critical("Dynamic \(sentence)")
            self.logger.debug(sentence)
            switch error { case .error("No call"): break }
            self.log(note)
            func warn(_ sentence: String) {}
            notice.message = "From the log"
            """##
        let calls = LoggerCall.all(in: source, file: "x")
        #expect(
            calls.map(\.sentences) == [
                ["One line"], ["Two lines"], ["A chain"], ["Chosen level"], ["By the wrapper"], ["First", "Second"], [],
                [],
                ["From the log"],
            ])
        #expect(calls.map(\.level) == [.info, .warning, .error, nil, .warning, .notice, .critical, .debug, .warning])
        #expect(calls.map { $0.facts.sorted() } == [["a", "c"], ["d"], [], [], ["g"], [], [], [], []])
        #expect(calls.prefix(4).map(\.hasAllFacts) == [true, true, true, false])
        #expect(calls.map(\.line) == [5, 6, 13, 14, 15, 16, 17, 18, 22])
    }
}

extension String {
    fileprivate var trimmingPunctuation: String {
        var text = Substring(self)
        while let last = text.last, ".,:;\"".contains(last) { text.removeLast() }
        return String(text)
    }
}
