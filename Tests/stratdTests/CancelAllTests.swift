import DaemonKit
import Shared
import Signing
import Synchronization
import Testing

@testable import stratd

/// What is told of open orders is so, and a venue that does not obey is no reason to wait for ever.
@Suite struct CancelAllTests {
    /// A venue that has orders and ends them by their hashes, never all at once.
    private final class Venue: Sendable {
        let open: Mutex<[String]>
        /// Of each request by hashes, how many there were.
        let chunks = Mutex<[Int]>([])
        let status: String

        init(_ count: Int64, status: String = "ORDER_STATUS_LIVE") {
            self.open = Mutex(count == 0 ? [] : (1...count).map { condition($0).description })
            self.status = status
        }

        func answer(_ request: VenueStub.Request) -> (status: Int, body: String) {
            switch (request.method, request.path) {
            case ("GET", "/time"): return (200, "\(Timestamp.now().microseconds / 1_000_000)")
            case ("GET", "/data/orders"):
                let rows = self.open.withLock { $0 }.map { #"{"id":"\#($0)","status":"\#(self.status)"}"# }
                return (200, #"{"next_cursor":"LTE=","data":[\#(rows.joined(separator: ","))]}"#)
            case ("DELETE", "/orders"):
                let hashes = (try? JSONValue(parsing: request.body.utf8).array?.compactMap(\.string)) ?? []
                self.chunks.withLock { $0.append(hashes.count) }
                self.open.withLock { $0.removeAll(where: hashes.contains) }
                let list = hashes.map { "\"\($0)\"" }.joined(separator: ",")
                return (200, #"{"canceled":[\#(list)],"not_canceled":{}}"#)
            default: return (500, #"{"error":"could not run the execution"}"#)
            }
        }
    }

    private func session(
        at url: String, _ client: RESTClient, tell: @escaping (String) -> Void
    ) throws -> AccountSession {
        let key = try #require([UInt8](repeating: 7, count: 32).withUnsafeBytes { PrivateKey(bytes: $0) })
        let credentials = Array(#"{"apiKey":"k","secret":"c2VjcmV0","passphrase":"p"}"#.utf8)
            .withUnsafeBufferPointer { AccountCredentials($0) }
        return AccountSession(
            ClobClient(client: client, baseURL: url, key: key),
            given: .init(credentials: try #require(credentials), place: "here"),
            store: CredentialStore(directory: "/nowhere", owner: key.address), tell: tell)
    }

    /// - Returns: what was told, and what it was given up for.
    private func run(
        at url: String, _ client: RESTClient, timeMax: Duration
    ) async throws -> (told: [String], exit: DaemonExit?) {
        let lines = Mutex<[String]>([])
        let session = try self.session(at: url, client) { line in lines.withLock { $0.append(line) } }
        var cancel = CancelAll(session: session, timeMax: timeMax)
        var random = SeededRandom(seed: 1)
        var exit: DaemonExit?
        do { try await cancel.run(using: &random) } catch { exit = error }
        return (lines.withLock { $0 }, exit)
    }

    /// A first heartbeat arms what would cancel them.
    @Test func theDoctorSendsNoHeartbeatWhereAnOrderMayBeOpen() async throws {
        let client = try RESTClient()
        defer { client.stop() }
        let venue = Venue(1, status: "ORDER_STATUS_X")
        let beats = Mutex(0)
        let stub = try VenueStub { request in
            if request.path == "/v1/heartbeats" { beats.withLock { $0 += 1 } }
            return venue.answer(request)
        }
        let session = try self.session(at: "http://127.0.0.1:\(stub.port)", client) { _ in }
        var doctor = Doctor(session, Configuration(), stateDirectory: "/nowhere")
        doctor.isQuiet = true
        await #expect(throws: DaemonExit.self) { try await doctor.run() }
        let verdict = try #require(doctor.findings.first { $0.name == "heartbeat" }?.verdict)
        guard case .open(let text) = verdict, text.hasPrefix("1 orders are open") else {
            Issue.record("\(verdict)")
            return
        }
        #expect(beats.withLock { $0 } == 0)
    }

    @Test func aVenueThatIsAwayIsToldAndGivenUpInTime() async throws {
        let client = try RESTClient()
        defer { client.stop() }
        // Port 9 of loopback: nobody listens.
        let (told, exit) = try await self.run(at: "http://127.0.0.1:9", client, timeMax: .seconds(1))
        #expect(exit?.code == .unreachable && exit?.message.contains("may be open still") == true, "\(exit as Any)")
        #expect(!told.isEmpty && told.allSatisfy { $0.hasSuffix("it is tried again") }, "\(told)")
    }

    @Test func whereAllCannotBeEndedAtOnceTheyAreEndedByTheirHashes() async throws {
        let client = try RESTClient()
        defer { client.stop() }
        let venue = Venue(130)
        let stub = try VenueStub { venue.answer($0) }
        let (told, exit) = try await self.run(at: "http://127.0.0.1:\(stub.port)", client, timeMax: .seconds(60))
        #expect(exit == nil && told.last == "130 orders were cancelled, nothing is open", "\(told) \(exit as Any)")
        #expect(venue.open.withLock { $0.isEmpty } && venue.chunks.withLock { $0 } == [60, 60, 10])
    }

    @Test func ordersThatCannotBeReadAreNotTakenForNone() async throws {
        let client = try RESTClient()
        defer { client.stop() }
        let venue = Venue(2, status: "ORDER_STATUS_X")
        let stub = try VenueStub { venue.answer($0) }
        let (told, exit) = try await self.run(at: "http://127.0.0.1:\(stub.port)", client, timeMax: .seconds(1))
        #expect(exit?.code == .unreachable && exit?.message.contains("may be open still") == true, "\(exit as Any)")
        #expect(told.contains("2 orders are told in a form that cannot be read, and may be open"), "\(told)")
        #expect(!told.contains { $0.contains("nothing is open") }, "\(told)")
    }
}
