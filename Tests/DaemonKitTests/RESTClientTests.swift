import Shared
import Testing

@testable import DaemonKit

@Suite(.enabled(if: PythonPeer.isAvailable, "needs python3")) struct RESTClientTests {
    static func client(_ change: (inout RESTClient.Options) -> Void = { _ in }) throws -> RESTClient {
        var options = RESTClient.Options()
        options.proxy = ""
        change(&options)
        return try RESTClient(options: options)
    }

    static func failure(_ client: RESTClient, _ request: RESTRequest) async -> RESTError? {
        do throws(RESTError) {
            _ = try await client.request(request)
            return nil
        } catch {
            return error
        }
    }

    func text(_ response: RESTResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    // MARK: Against other people's server

    @Test func everyMethodSendsItsHeadersAndBody() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        let url = "http://127.0.0.1:\(peer.port)/echo"
        let before = Timestamp.now()
        let get = try await client.request(RESTRequest(url: url, headers: [("X-Test", "a b")]))
        #expect(self.text(get).hasPrefix("GET|-|polybot/0.1|a b|-|"))
        #expect(self.text(get).contains("gzip"))
        #expect(get.status == 200 && get.isSuccess)
        #expect(get.startedTime >= before && get.startedTime <= .now())
        #expect(get.duration > .zero && get.duration < .seconds(20))
        let post = try await client.request(
            RESTRequest(.post, url: url, headers: [("X-Test", "")], body: Array("{}".utf8)))
        #expect(self.text(post).hasPrefix("POST|application/json|polybot/0.1||-|") && self.text(post).hasSuffix("|{}"))
        let typed = try await client.request(
            RESTRequest(.delete, url: url, headers: [("content-type", "text/plain")], body: Array("all".utf8)))
        #expect(self.text(typed).hasPrefix("DELETE|text/plain|") && self.text(typed).hasSuffix("|all"))
        #expect(self.text(try await client.request(RESTRequest(.delete, url: url))).hasPrefix("DELETE|-|"))
        #expect(self.text(try await client.request(RESTRequest(.post, url: url))).hasPrefix("POST|"))
    }

    @Test func aLargeBodyIsSentWithoutAskingFirst() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let body = [UInt8](repeating: UInt8(ascii: "b"), count: 3_000_000)
        let response = try await Self.client().request(
            RESTRequest(.post, url: "http://127.0.0.1:\(peer.port)/echo", body: body))
        #expect(self.text(response).hasPrefix("POST|application/json|polybot/0.1|-|-|"))
        #expect(response.body.count > body.count)
    }

    @Test func everyStatusIsAnAnswerAndRedirectsAreNotFollowed() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        for status in [301, 400, 404, 429, 500, 503] {
            let response = try await client.request(
                RESTRequest(url: "http://127.0.0.1:\(peer.port)/status?code=\(status)"))
            #expect(response.status == status && !response.isSuccess)
            #expect(response.header("Retry-After") == "7" && response.retryAfter == .seconds(7))
            #expect(response.header("x-odd") == "")
            #expect(response.header("absent") == nil)
        }
    }

    @Test func connectionsAreKeptAndSharedOutAmongRequests() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        let url = "http://127.0.0.1:\(peer.port)"
        for _ in 0..<20 { _ = try await client.request(RESTRequest(url: url + "/echo")) }
        #expect(self.text(try await client.request(RESTRequest(url: url + "/connections"))) == "1")
        let sizes = try await withThrowingTaskGroup(of: Int.self) { group in
            for size in 0..<50 {
                group.addTask {
                    try await client.request(RESTRequest(url: url + "/big?size=\(size * 1_000)")).body.count
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sizes.sorted() == (0..<50).map { $0 * 1_000 })
    }

    @Test func compressedAnswersAreUnpackedAndCountedUnpacked() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        let response = try await client.request(RESTRequest(url: "http://127.0.0.1:\(peer.port)/gzip?size=100000"))
        #expect(response.body == [UInt8](repeating: UInt8(ascii: "0"), count: 100_000))
        let bomb = RESTRequest(url: "http://127.0.0.1:\(peer.port)/gzip?size=30000000", responseByteCountMax: 100_000)
        #expect(await Self.failure(client, bomb)?.reason == .responseTooLarge)
    }

    @Test func anAnswerOverItsBoundIsRefusedAndTheNextRequestWorks() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        let url = "http://127.0.0.1:\(peer.port)/big?size=5000"
        #expect(try await client.request(RESTRequest(url: url, responseByteCountMax: 5_000)).body.count == 5_000)
        let error = await Self.failure(client, RESTRequest(url: url, responseByteCountMax: 4_999))
        #expect(error?.reason == .responseTooLarge && error?.isOutcomeUnknown == true)
        #expect(try await client.request(RESTRequest(url: url)).body.count == 5_000)
    }

    @Test func anAnswerThatDoesNotComeInTimeIsUnknown() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        let slow = RESTRequest(.post, url: "http://127.0.0.1:\(peer.port)/slow?seconds=5", timeout: .milliseconds(200))
        let error = await Self.failure(client, slow)
        #expect(error?.reason == .timedOut && error?.isOutcomeUnknown == true)
        #expect(try await client.request(RESTRequest(url: "http://127.0.0.1:\(peer.port)/echo")).status == 200)
    }

    @Test func cancellingATaskEndsItsRequest() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        let slow = RESTRequest(url: "http://127.0.0.1:\(peer.port)/slow?seconds=30", timeout: .seconds(30))
        let task = Task { await Self.failure(client, slow) }
        // A request that was answered meanwhile shows that the slow one is out.
        _ = try await client.request(RESTRequest(url: "http://127.0.0.1:\(peer.port)/echo"))
        task.cancel()
        #expect(await task.value?.reason == .cancelled)
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await Self.failure(client, slow)
        }
        let error = await early.value
        #expect(error?.reason == .cancelled && error?.isOutcomeUnknown == false)
    }

    @Test func moreRequestsThanAllowedAreRefusedUnsent() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client { $0.requestCountMax = 2 }
        let slow = RESTRequest(url: "http://127.0.0.1:\(peer.port)/slow?seconds=30", timeout: .seconds(30))
        let tasks = (0..<3).map { _ in Task { await Self.failure(client, slow) } }
        let first = await withTaskGroup(of: RESTError?.self) { group in
            for task in tasks { group.addTask { await task.value } }
            let first = await group.next()
            for task in tasks { task.cancel() }
            return first
        }
        #expect(first == RESTError(.tooManyRequests, isOutcomeUnknown: false))
        // Those that ended have made room.
        #expect(try await client.request(RESTRequest(url: "http://127.0.0.1:\(peer.port)/echo")).status == 200)
    }

    @Test func stoppingEndsWhatWaitsAndWhatComesLater() async throws {
        let peer = try await PythonPeer("http_peer.py")
        let client = try Self.client()
        let slow = RESTRequest(url: "http://127.0.0.1:\(peer.port)/slow?seconds=30", timeout: .seconds(30))
        let task = Task { await Self.failure(client, slow) }
        _ = try await client.request(RESTRequest(url: "http://127.0.0.1:\(peer.port)/echo"))
        client.stop()
        #expect(await task.value?.reason == .stopped)
        #expect(await Self.failure(client, slow) == RESTError(.stopped, isOutcomeUnknown: false))
        client.stop()
    }

    @Test(.enabled(if: TestCertificate.isAvailable, "needs openssl"))
    func tlsWorksWithItsAuthorityAndFailsWithout() async throws {
        let certificate = try TestCertificate()
        let peer = try await PythonPeer("http_peer.py", [certificate.certificate, certificate.key])
        let request = RESTRequest(.post, url: "https://127.0.0.1:\(peer.port)/echo", body: Array("x".utf8))
        let client = try Self.client { $0.caFile = certificate.certificate }
        #expect(try await client.request(request).status == 200)
        let error = await Self.failure(try Self.client(), request)
        #expect(error?.reason == .tls && error?.isOutcomeUnknown == false)
    }

    // MARK: Against a server that does as told

    static let okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @Test func aRefusedConnectionIsKnownNotToHaveSentAnything() async throws {
        let port = try RawServer { _ in }.port
        let error = await Self.failure(try Self.client(), RESTRequest(.post, url: "http://127.0.0.1:\(port)/"))
        #expect(error?.reason == .refused && error?.isOutcomeUnknown == false)
    }

    @Test func aTLSHandshakeThatNeverEndsHasSentNothing() async throws {
        let server = try RawServer { _ = $0.waitForEnd() }
        let request = RESTRequest(.post, url: "https://127.0.0.1:\(server.port)/", timeout: .milliseconds(200))
        let error = await Self.failure(try Self.client(), request)
        #expect(error?.reason == .timedOut && error?.isOutcomeUnknown == false)
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "http://a b/", "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1:x/",
    ])
    func wrongAddressesAreRefused(url: String) async throws {
        let error = await Self.failure(try Self.client(), RESTRequest(url: url))
        #expect(error?.reason == .badRequest && error?.isOutcomeUnknown == false)
    }

    @Test func aHeaderCannotSmuggleAnother() async throws {
        let client = try Self.client()
        for header in [("X", "a\r\nEvil: 1"), ("X\r\nEvil", "1"), ("", "1"), ("X:", "1"), ("X", "\0")] {
            #expect(
                await Self.failure(client, RESTRequest(url: "http://127.0.0.1:1/", headers: [header]))?.reason
                    == .badRequest)
        }
    }

    /// Without a word against it, libcurl repeats a request whose kept connection ended before an answer.
    @Test(arguments: [RESTRequest.Method.post, .delete])
    func aRequestThatChangesSomethingIsNeverSentTwice(method: RESTRequest.Method) async throws {
        let requests = Mutexed<[String]>([])
        let server = try RawServer { connection in
            while true {
                let head = connection.receive(until: "\r\n\r\n")
                guard !head.isEmpty else { return }
                requests.change { $0.append(String(head.prefix { $0 != "\r\n" })) }
                // It has the order, and dies before it can say so.
                guard !head.contains("/order") else { return }
                connection.send(Self.okay)
            }
        }
        let client = try Self.client()
        let url = "http://127.0.0.1:\(server.port)"
        #expect(try await client.request(RESTRequest(url: url + "/time")).status == 200)
        let error = await Self.failure(client, RESTRequest(method, url: url + "/order"))
        #expect(error?.reason == .connectionLost && error?.isOutcomeUnknown == true)
        #expect(try await client.request(RESTRequest(url: url + "/end")).status == 200)
        #expect(requests.value == ["GET /time HTTP/1.1", "\(method.rawValue) /order HTTP/1.1", "GET /end HTTP/1.1"])
    }

    @Test func aConnectionThatBreaksInsideTheAnswerIsLost() async throws {
        let server = try RawServer { connection in
            _ = connection.receive(until: "\r\n\r\n")
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        }
        let error = await Self.failure(try Self.client(), RESTRequest(url: "http://127.0.0.1:\(server.port)/"))
        #expect(error?.reason == .connectionLost && error?.isOutcomeUnknown == true)
    }

    @Test func anAnswerThatIsNotHTTPSaysSo() async throws {
        let server = try RawServer { connection in
            _ = connection.receive(until: "\r\n\r\n")
            connection.send("SSH-2.0-OpenSSH_9\r\n\r\n")
        }
        let error = await Self.failure(try Self.client(), RESTRequest(.post, url: "http://127.0.0.1:\(server.port)/"))
        #expect(error?.reason == .badResponse && error?.isOutcomeUnknown == true)
    }

    @Test func anEndlessHeadIsGivenUp() async throws {
        let server = try RawServer { connection in
            _ = connection.receive(until: "\r\n\r\n")
            connection.send(
                "HTTP/1.1 200 OK\r\n"
                    + String(repeating: "X-Filler: \(String(repeating: "y", count: 1_000))\r\n", count: 100))
            _ = connection.waitForEnd()
        }
        let error = await Self.failure(try Self.client(), RESTRequest(url: "http://127.0.0.1:\(server.port)/"))
        #expect(error?.reason == .responseTooLarge)
    }

    @Test func anInterimAnswerIsNotTheAnswer() async throws {
        let server = try RawServer { connection in
            _ = connection.receive(until: "\r\n\r\n")
            connection.send(
                "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Late:  2 \r\nContent-Length: 2\r\n\r\nok"
            )
        }
        let response = try await Self.client().request(RESTRequest(url: "http://127.0.0.1:\(server.port)/"))
        #expect(response.status == 200 && response.header("x-early") == nil && response.header("X-LATE") == "2")
    }

    @Test func aPauseThatMakesNoSenseIsNone() {
        func pause(_ text: String, date: String = "") -> Duration? {
            RESTResponse(
                status: 429, headers: [("retry-after", text), ("date", date)], body: [],
                startedTime: Timestamp(seconds: 1_792_567_680), duration: .seconds(3)
            ).retryAfter
        }
        #expect(pause("0") == .zero)
        #expect(pause("10") == .seconds(10))
        #expect(pause("999999999999") == RESTResponse.retryAfterMax)
        #expect(pause("-1") == nil && pause("") == nil && pause("Wed, 21 Och 2026 07:28:00 GMT") == nil)
        #expect(pause("Wed, 21 Oct 2026 07:28:60 GMT ") == nil && pause("2026-10-21T07:28:00Z") == nil)
        // Its own clock where it tells it, else ours, which shows 07:28:03 at the end of the answer.
        #expect(pause("Wed, 21 Oct 2026 07:28:10 GMT") == .seconds(7))
        #expect(pause("Wed, 21 Oct 2026 07:28:10 GMT", date: "Wed, 21 Oct 2026 07:27:10 GMT") == .seconds(60))
        #expect(pause("Wed, 21 Oct 2026 07:28:02 GMT") == .zero)
        #expect(pause("Fri, 21 Oct 2033 07:28:10 GMT") == RESTResponse.retryAfterMax)
    }
}
