import Glibc
import Testing

@testable import DaemonKit

@Suite struct ConfigurationLoadingTests {
    private func load(
        _ directory: DaemonTestDirectory, path: String? = nil, environment: [String: String] = [:],
        readsDotEnv: Bool = true
    ) throws(ConfigurationError) -> Configuration {
        try Configuration.load(
            path: path, environment: environment, readsDotEnv: readsDotEnv,
            defaultPaths: [directory.path("first.toml"), directory.path("second.toml")])
    }

    private func problems(
        _ directory: DaemonTestDirectory, path: String? = nil, environment: [String: String] = [:]
    ) -> [String] {
        do throws(ConfigurationError) {
            _ = try self.load(directory, path: path, environment: environment)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func theFirstFileThatExistsCounts() throws {
        let directory = try DaemonTestDirectory()
        #expect(try self.load(directory).file == nil)
        try directory.write("[dashboard]\nport = 2\n", to: "second.toml")
        #expect(try self.load(directory).dashboard.port == 2)
        try directory.write("[dashboard]\nport = 1\n", to: "first.toml")
        #expect(try self.load(directory).dashboard.port == 1)
        try directory.write("[dashboard]\nport = 3\n", to: "third.toml")
        let environment = ["POLYBOT_CONFIG": directory.path("third.toml")]
        #expect(try self.load(directory, environment: environment).dashboard.port == 3)
        try directory.write("[dashboard]\nport = 4\n", to: "fourth.toml")
        let configuration = try self.load(directory, path: directory.path("fourth.toml"), environment: environment)
        #expect(configuration.dashboard.port == 4)
        #expect(configuration.file == directory.path("fourth.toml"))
    }

    @Test func aNamedFileThatIsMissingIsAnError() throws {
        let directory = try DaemonTestDirectory()
        let path = directory.path("nowhere.toml")
        #expect(self.problems(directory, path: path) == ["\(path): does not exist, but --config names it"])
        #expect(
            self.problems(directory, environment: ["POLYBOT_CONFIG": path])
                == ["\(path): does not exist, but $POLYBOT_CONFIG names it"])
    }

    @Test func whatIsNoTextFileIsRefused() throws {
        let directory = try DaemonTestDirectory()
        #expect(self.problems(directory, path: directory.root) == ["\(directory.root): is not a regular file"])
        let pipe = directory.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(self.problems(directory, path: pipe) == ["\(pipe): is not a regular file"])
        try directory.write([0xFF, 0xFE], to: "binary.toml")
        let binary = directory.path("binary.toml")
        #expect(self.problems(directory, path: binary) == ["\(binary): is not UTF-8 text"])
        try directory.write(
            [UInt8](repeating: UInt8(ascii: "#"), count: ConfigurationDocument.byteCountMax + 1), to: "long.toml")
        let long = directory.path("long.toml")
        #expect(self.problems(directory, path: long) == ["\(long): is over 1048576 bytes long"])
    }

    @Test func dotEnvBesideTheFileIsReadUnlessSystemdStartedUs() throws {
        let directory = try DaemonTestDirectory()
        try directory.write("[dashboard]\nport = 1\n", to: "first.toml")
        try directory.write("PORT=7\n", to: ".env")
        #expect(try self.load(directory).dashboard.port == 7)
        #expect(try self.load(directory, environment: ["PORT": "8"]).dashboard.port == 8)
        #expect(try self.load(directory, readsDotEnv: false).dashboard.port == 1)
        try directory.write("nonsense\n", to: ".env")
        #expect(
            self.problems(directory)
                == ["\(directory.path(".env")):1: found a line without \"=\", allowed is NAME=value"])
    }

    @Test func onlySystemdsOwnChildIsUnderSystemd() {
        #expect(!ProcessEnvironment.isUnderSystemd([:], process: 7))
        #expect(ProcessEnvironment.isUnderSystemd(["NOTIFY_SOCKET": "/x"], process: 7))
        #expect(ProcessEnvironment.isUnderSystemd(["INVOCATION_ID": "a"], process: 7))
        #expect(ProcessEnvironment.isUnderSystemd(["INVOCATION_ID": "a", "SYSTEMD_EXEC_PID": "7"], process: 7))
        // A shell that was started by a desktop's unit: the unit is the terminal, not us.
        #expect(!ProcessEnvironment.isUnderSystemd(["INVOCATION_ID": "a", "SYSTEMD_EXEC_PID": "8"], process: 7))
    }
}
