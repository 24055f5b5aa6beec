import DaemonKit
import Shared
import Signing
import Synchronization
import Testing

@testable import stratd

/// A venue that is not there is no reason to wait for ever.
@Suite struct CancelAllTests {
    @Test func aVenueThatIsAwayIsToldAndGivenUpInTime() async throws {
        let key = try #require([UInt8](repeating: 7, count: 32).withUnsafeBytes { PrivateKey(bytes: $0) })
        let client = try RESTClient()
        defer { client.stop() }
        let lines = Mutex<[String]>([])
        // Port 9 of loopback: nobody listens.
        let session = AccountSession(
            ClobClient(client: client, baseURL: "http://127.0.0.1:9", key: key),
            store: CredentialStore(directory: "/nowhere", owner: key.address),
            tell: { line in lines.withLock { $0.append(line) } })
        var cancel = CancelAll(session: session, timeMax: .seconds(1))
        var random = SeededRandom(seed: 1)
        do {
            try await cancel.run(using: &random)
            Issue.record("nobody is there")
        } catch {
            #expect(error.code == .unreachable && error.message.contains("may be open still"), "\(error)")
        }
        let told = lines.withLock { $0 }
        #expect(!told.isEmpty && told.allSatisfy { $0.hasSuffix("it is tried again") }, "\(told)")
    }
}
