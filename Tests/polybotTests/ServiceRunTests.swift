import Foundation
import Testing

@testable import polybot

@Suite struct ServiceRunTests {
    private static func text(_ path: String) throws -> String {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: package.appending(path: path), encoding: .utf8)
    }

    @Test func itIsWhoTheUnitIs() throws {
        let unit = try Self.text("systemd/polybot-stratd.service").split(separator: "\n").map(String.init)
        for property in ServiceRun.properties { #expect(unit.contains(property), "\(property)") }
        // No credential of the unit is forgotten.
        for line in unit where line.hasPrefix("LoadCredential=") { #expect(ServiceRun.properties.contains(line)) }
        #expect(
            unit.contains { $0.hasPrefix("ExecStart=") && $0.contains("--config \(ServiceRun.configurationPath) ") })
    }

    @Test func theManualHasTheSameCommandForTyping() throws {
        let words = ServiceRun.words(
            "/usr/local/bin/stratd", ["cancel-all", "--config", ServiceRun.configurationPath])
        #expect(words.starts(with: ["--quiet", "--pipe", "--wait", "--collect", "-p", "User=polybot-stratd"]))
        let typed = try Self.text("docs/OPERATIONS.md").replacing(" \\\n", with: " ")
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(typed.contains((["sudo", "systemd-run"] + words).joined(separator: " ")))
    }
}
