import Glibc
import Shared

@testable import DaemonKit

/// The venue and the daemons that make its books known, as real processes in a directory of their own.
final class Pipeline: Sendable {
    let directory: TemporaryDirectory
    let venue: RunningProgram
    let scanner: RunningProgram
    let feed: RunningProgram
    let port: Int
    private let client: RESTClient

    var feedSocket: String { self.directory.file("feedd.sock") }
    var scannerSocket: String { self.directory.file("scannerd.sock") }

    /// Starts everything and waits until the sockets answer.
    ///
    /// - Parameters:
    ///   - venueArguments: for simvenue, besides the port.
    ///   - isPaused: whether the venue says nothing before `{"do":"resume"}`.
    ///   - settings: environment variables for the daemons, such as `POLYBOT_SCANNER_MAX_MARKETS`.
    ///   - feedOpenFilesMax: how many descriptors feedd may have.
    ///   - beforeDaemons: runs with the venue's port when nobody follows it yet.
    init(
        _ venueArguments: [String], isPaused: Bool = false, settings: [String: String] = [:],
        feedOpenFilesMax: Int? = nil, beforeDaemons: (Int) async throws -> Void = { _ in }
    ) async throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0"] + venueArguments, in: directory.path)
        self.venue = venue
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
        guard let port = ready["port"]?.integer else { throw WaitedInVain(description: "simvenue names no port") }
        self.port = Int(port)
        self.client = try RESTClient()
        try await beforeDaemons(self.port)
        if isPaused { try await Self.control(#"{"do":"pause_traffic"}"#, port: self.port, client: self.client) }
        var environment = [
            "POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:\(port)", "POLYBOT_VENUE_CLOB_URL": "http://127.0.0.1:\(port)",
            "POLYBOT_VENUE_MARKET_WS_URL": "ws://127.0.0.1:\(port)/ws/market",
            "POLYBOT_VENUE_PRICES_WS_URL": "ws://127.0.0.1:\(port)/prices",
            "POLYBOT_VENUE_BINANCE_WS_URL": "ws://127.0.0.1:\(port)",
        ]
        environment.merge(settings) { $1 }
        func start(_ daemon: String, openFilesMax: Int? = nil) async throws -> RunningProgram {
            var command = [Programs.path(of: daemon)]
            if let openFilesMax {
                command = ["/bin/sh", "-c", "ulimit -n \(openFilesMax) && exec \"$0\" \"$@\""] + command
            }
            command += ["--runtime-dir", directory.path, "--state-dir", directory.file("state")]
            let program = try RunningProgram(
                command[0], Array(command.dropFirst()), in: directory.path, environment: environment)
            try await waitFor("\(daemon)'s socket", state: program.report) { () -> Bool? in
                if let ending = program.ending { throw WaitedInVain(description: "\(ending)\n\(program.report)") }
                guard let descriptor = UnixSocket.connect(directory.file(daemon + ".sock")) else { return nil }
                close(descriptor)
                return true
            }
            return program
        }
        self.scanner = try await start("scannerd")
        self.feed = try await start("feedd", openFilesMax: feedOpenFilesMax)
    }

    deinit { self.client.stop() }

    /// What the venue answers to `GET target`.
    func get(_ target: String) async throws -> JSONValue {
        let response = try await self.client.request(RESTRequest(url: "http://127.0.0.1:\(self.port)\(target)"))
        guard response.isSuccess else {
            throw WaitedInVain(description: "\(target) is answered with \(response.status)")
        }
        return try JSONValue(parsing: response.body)
    }

    /// Makes the venue do something, such as `{"do":"pause_traffic"}`.
    func control(_ command: String) async throws {
        try await Self.control(command, port: self.port, client: self.client)
    }

    private static func control(_ command: String, port: Int, client: RESTClient) async throws {
        let url = "http://127.0.0.1:\(port)/control"
        let response = try await client.request(RESTRequest(.post, url: url, body: Array(command.utf8)))
        guard response.isSuccess else {
            throw WaitedInVain(
                description: "\(command) is answered with \(String(decoding: response.body, as: UTF8.self))")
        }
    }

    /// Stops the daemons from last to first, then the venue.
    ///
    /// - Returns: how each ended, in that order.
    func stop() async throws -> [RunningProgram.Ending] {
        var endings: [RunningProgram.Ending] = []
        for program in [self.feed, self.scanner, self.venue] { endings.append(try await program.stop()) }
        return endings
    }
}
