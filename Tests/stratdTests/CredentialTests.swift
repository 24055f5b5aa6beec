import DaemonKit
import Glibc
import Testing

@testable import stratd

/// Which secrets are found, and what is wrong with them. What they hold is never told.
@Suite final class CredentialTests {
    private static let key = "0x" + String(repeating: "4f", count: 32)
    private static let credentials = #"{"apiKey":"a","secret":"b","passphrase":"c","more":[1]}"#
    private let directory: String

    init() throws {
        var template = Array("/tmp/polybot-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        self.directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["private_key", "api_credentials", ".env", "key", "polybot.toml"] {
            unlink("\(self.directory)/\(name)")
            rmdir("\(self.directory)/\(name)")
        }
        rmdir(self.directory)
    }

    @discardableResult
    private func write(_ text: String, to name: String, mode: UInt32 = 0o600) throws -> String {
        let path = "\(self.directory)/\(name)"
        let file = try #require(fopen(path, "we"))
        fputs(text, file)
        fclose(file)
        chmod(path, mode)
        return path
    }

    private func findings(
        _ environment: [String: String] = [:], _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> [CredentialSearch.Finding] {
        try self.write("", to: "polybot.toml")
        var configuration = try Configuration.load(
            path: "\(self.directory)/polybot.toml", environment: [:], readsDotEnv: false)
        change(&configuration)
        return CredentialSearch.findings(configuration, environment: environment)
    }

    /// "private_key malformed: …", for each; "private_key" where nothing is wrong.
    private func lines(_ findings: [CredentialSearch.Finding]) -> [String] {
        findings.map { finding in
            finding.credential.rawValue + (finding.problem.map { " \($0.word): \($0.reason)" } ?? "")
        }
    }

    private func managed() throws -> [String] {
        try self.lines(self.findings(["CREDENTIALS_DIRECTORY": self.directory]))
    }

    @Test func whatIsAbsentIsFine() throws {
        #expect(try self.findings() == [])
        #expect(try self.managed() == [])
        #expect(try self.findings(["CREDENTIALS_DIRECTORY": "/nonexistent"]) == [])
    }

    @Test func theManagersSecretsAreFoundWithTheirForm() throws {
        try self.write(Self.key + "\n", to: "private_key", mode: 0o440)
        try self.write(Self.credentials, to: "api_credentials", mode: 0o400)
        #expect(try self.managed() == ["private_key", "api_credentials"])
    }

    @Test(arguments: [
        "", "\n", key + "\n\n", key + "0", String(key.dropLast()), "0X" + key.dropFirst(2), key.dropLast() + "g",
        " " + key,
        String(repeating: "a", count: 66), "0x" + String(repeating: "é", count: 32),
    ])
    func aKeyOfAnotherFormIsMalformed(text: String) throws {
        try self.write(text, to: "private_key")
        #expect(try self.managed() == ["private_key malformed: it is not 0x and 64 hexadecimal digits"])
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"apiKey":"a","secret":"b"}"#, #"{"apiKey":"a","secret":"b","passphrase":""}"#,
        #"{"apiKey":"a","secret":"b","passphrase":1}"#, #"{"apiKey":"a","apiKey":"b","secret":"c"}"#, credentials + "x",
        String(credentials.dropLast()),
    ])
    func credentialsOfAnotherFormAreMalformed(text: String) throws {
        try self.write(text, to: "api_credentials")
        #expect(
            try self.managed() == [
                "api_credentials malformed: it is no JSON object with the texts apiKey, secret and passphrase"
            ])
    }

    @Test func whatCannotBeReadOrIsTooLargeOrTooOpenIsSaid() throws {
        try self.write(String(repeating: "0", count: SecretFile.byteCountMax + 1), to: "private_key")
        try self.write(Self.credentials, to: "api_credentials", mode: 0o444)
        #expect(
            try self.managed() == [
                "private_key malformed: it has more than 4096 bytes",
                "api_credentials too open: everybody may use it: its mode is 0444",
            ])
        unlink("\(self.directory)/private_key")
        unlink("\(self.directory)/api_credentials")
        mkdir("\(self.directory)/private_key", 0o700)
        mkfifo("\(self.directory)/api_credentials", 0o600)
        #expect(
            try self.managed() == [
                "private_key unreadable: it is not a regular file",
                "api_credentials unreadable: it is not a regular file",
            ])
    }

    @Test(.enabled(if: geteuid() != 0, "root may read every file"))
    func whatAnotherUserKeepsIsUnreadable() throws {
        try self.write(Self.key, to: "private_key", mode: 0)
        #expect(try self.managed() == ["private_key unreadable: it cannot be opened: Permission denied"])
    }

    @Test func aFileThatTheConfigurationNamesIsForItsUserAlone() throws {
        let path = try self.write(Self.key, to: "key")
        #expect(try self.lines(self.findings { $0.trading.privateKeyFile = path }) == ["private_key"])
        chmod(path, 0o640)
        #expect(
            try self.lines(self.findings { $0.trading.privateKeyFile = path })
                == ["private_key too open: its mode is 0640 and must be 0600"])
        #expect(
            try self.lines(self.findings { $0.trading.credentialsFile = "\(self.directory)/none" })
                == ["api_credentials unreadable: it does not exist, but the configuration names it"])
        // Under systemd a file beside the configuration must not change a service.
        let systemd = ["NOTIFY_SOCKET": "/x", "POLYGON_PRIVATE_KEY": "x"]
        #expect(try self.findings(systemd) { $0.trading.privateKeyFile = path } == [])
    }

    @Test func thePredecessorsNameIsFoundInTheEnvironmentAndInDotEnv() throws {
        let name = CredentialSearch.keyVariable
        #expect(try self.lines(self.findings([name: Self.key])) == ["private_key"])
        #expect(
            try self.lines(self.findings([name: "abc"]))
                == ["private_key malformed: it is not 0x and 64 hexadecimal digits"])
        try self.write("\(name)=\(Self.key)\n", to: ".env")
        #expect(try self.lines(self.findings()) == ["private_key"])
        try self.write("\(name)=\(Self.key)\n", to: ".env", mode: 0o644)
        #expect(try self.lines(self.findings()) == ["private_key too open: its mode is 0644 and must be 0600"])
        try self.write("PORT=1\n", to: ".env", mode: 0o644)
        #expect(try self.findings() == [])
    }
}
