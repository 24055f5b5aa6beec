import CLinux
import Glibc
import Synchronization
import Testing

@testable import DaemonKit

@Suite struct WebSocketConnectionTests {
    /// What happened to a connection, in order.
    struct Story: Equatable, Sendable {
        var isOpened = false
        var texts: [String] = []
        var reason: WebSocketConnection.CloseReason?
    }

    static func options(_ change: (inout WebSocketConnection.Options) -> Void = { _ in }) -> WebSocketConnection.Options
    {
        var options = WebSocketConnection.Options()
        options.proxy = ""
        change(&options)
        return options
    }

    /// Connects, lets `steer` act on each text (the empty one: opened), and tells all when the connection has ended.
    func story(
        _ address: String, change: @escaping @Sendable (inout WebSocketConnection.Options) -> Void = { _ in },
        steer: @escaping @Sendable (WebSocketConnection, String?) -> Void = { _, _ in }
    ) async throws -> Story {
        let story = try await onLoop { (loop, finish: @escaping (Story) -> Void) in
            var story = Story()
            let connection = WebSocketConnection(
                url: try WebSocketURL(address), options: Self.options(change), loop: loop)
            connection.onOpen = { [unowned connection] in
                story.isOpened = true
                steer(connection, nil)
            }
            connection.onText = { [unowned connection] bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                story.texts.append(text)
                steer(connection, text)
            }
            connection.onClosed = { reason in
                story.reason = reason
                // A while longer, in which nothing may happen.
                loop.after(.milliseconds(20)) {
                    connection.abort()
                    finish(story)
                }
            }
            connection.connect()
        }
        return try #require(story, "the connection did not end in time")
    }

    // MARK: Against other people's server

    @Test(.enabled(if: PythonPeer.hasWebSockets, "needs the Python package websockets"))
    func messagesOfEverySizeComeBack() async throws {
        let peer = try await PythonPeer("websocket_peer.py")
        let sizes = [1, 125, 126, 65_535, 65_536, 900_000]
        let story = try await self.story(
            "ws://127.0.0.1:\(peer.port)/echo",
            steer: { connection, text in
                let next = text.map { (sizes.firstIndex(of: $0.utf8.count) ?? sizes.count) + 1 } ?? 0
                guard next < sizes.count else { return connection.close() }
                #expect(connection.send(text: String(repeating: "x", count: sizes[next])))
            })
        #expect(story.texts.map(\.utf8.count) == sizes)
        #expect(story.reason == .closedByUs)
    }

    @Test(.enabled(if: PythonPeer.hasWebSockets, "needs the Python package websockets"))
    func aBurstArrivesWholeAndInOrder() async throws {
        let peer = try await PythonPeer("websocket_peer.py")
        let story = try await self.story("ws://127.0.0.1:\(peer.port)/burst?count=20000&size=600")
        #expect(story.texts.count == 20_000)
        #expect(story.texts.enumerated().allSatisfy { $1.hasPrefix("\($0) ") && $1.utf8.count == 600 })
        #expect(story.reason == .closedByPeer(code: 1000, reason: ""))
    }

    @Test(.enabled(if: PythonPeer.hasWebSockets, "needs the Python package websockets"))
    func thePeersCloseIsToldWithCodeAndReason() async throws {
        let peer = try await PythonPeer("websocket_peer.py")
        let story = try await self.story("ws://127.0.0.1:\(peer.port)/close?code=4003&reason=draining")
        #expect(story == Story(isOpened: true, reason: .closedByPeer(code: 4003, reason: "draining")))
    }

    @Test(.enabled(if: PythonPeer.hasWebSockets, "needs the Python package websockets"))
    func pingsAreAnsweredFragmentsJoinedAndHeadersSent() async throws {
        let peer = try await PythonPeer("websocket_peer.py")
        let close = { @Sendable (connection: WebSocketConnection, text: String?) in
            if text != nil { connection.close() }
        }
        #expect(try await self.story("ws://127.0.0.1:\(peer.port)/ping", steer: close).texts == ["ponged"])
        #expect(try await self.story("ws://127.0.0.1:\(peer.port)/fragments", steer: close).texts == ["Grüße €"])
        let headers = try await self.story(
            "ws://127.0.0.1:\(peer.port)/headers", change: { $0.headers = [("X-Test", "yes")] }, steer: close)
        #expect(headers.texts == ["127.0.0.1:\(peer.port)|polybot/0.1|yes"])
    }

    @Test(.enabled(if: PythonPeer.hasWebSockets, "needs the Python package websockets"))
    func ourOwnPingIsAnswered() async throws {
        let peer = try await PythonPeer("websocket_peer.py")
        let address = "ws://127.0.0.1:\(peer.port)/echo"
        let isAnswered = try await onLoop { (loop, finish: @escaping (Bool) -> Void) in
            let connection = WebSocketConnection(url: try WebSocketURL(address), options: Self.options(), loop: loop)
            connection.onOpen = { [unowned connection] in _ = connection.ping() }
            connection.onPong = { [unowned connection] in
                connection.abort()
                finish(true)
            }
            connection.onClosed = { _ in finish(false) }
            connection.connect()
        }
        #expect(isAnswered == true)
    }

    @Test(
        .enabled(
            if: PythonPeer.hasWebSockets && TestCertificate.isAvailable, "needs the Python package websockets, openssl")
    )
    func tlsWorksWithItsAuthorityAndFailsWithout() async throws {
        let certificate = try TestCertificate()
        let peer = try await PythonPeer("websocket_peer.py", [certificate.certificate, certificate.key])
        let caFile = certificate.certificate
        // More than one turn's bytes, so that some wait decrypted inside the TLS library.
        let burst = try await self.story(
            "wss://127.0.0.1:\(peer.port)/burst?count=3000&size=2000", change: { $0.caFile = caFile })
        #expect(burst.texts.count == 3_000)
        #expect(burst.reason == .closedByPeer(code: 1000, reason: ""))
        let large = try await self.story(
            "wss://127.0.0.1:\(peer.port)/echo", change: { $0.caFile = caFile },
            steer: { connection, text in
                guard text == nil else { return connection.close() }
                #expect(connection.send(text: String(repeating: "y", count: 1_000_000)))
            })
        #expect(large.texts.map(\.utf8.count) == [1_000_000])
        let stranger = try await self.story("wss://127.0.0.1:\(peer.port)/echo")
        guard case .tls = stranger.reason else { return #expect(Bool(false), "\(stranger)") }
        let noFile = try await self.story("wss://127.0.0.1:\(peer.port)/echo", change: { $0.caFile = "/nonexistent" })
        guard case .tls = noFile.reason else { return #expect(Bool(false), "\(noFile)") }
    }

    // MARK: Against a server that does as told

    @Test func framesInTheSameWriteAsTheAnswerAreNotLost() async throws {
        let server = try RawServer { connection in
            let head = connection.upgrade()
            connection.send(head + frame(0x81, "first") + frame(0x81, "second") + frame(0x88, [0x03, 0xE8]))
            _ = connection.waitForEnd()
        }
        let story = try await self.story("ws://127.0.0.1:\(server.port)/")
        #expect(
            story == Story(isOpened: true, texts: ["first", "second"], reason: .closedByPeer(code: 1000, reason: "")))
    }

    @Test func anAnswerThatTricklesInIsRead() async throws {
        let server = try RawServer { connection in
            for byte in connection.upgrade() + frame(0x81, "text") + frame(0x88, [0x03, 0xE8]) {
                connection.send([byte])
            }
            _ = connection.waitForEnd()
        }
        let story = try await self.story("ws://127.0.0.1:\(server.port)/")
        #expect(story == Story(isOpened: true, texts: ["text"], reason: .closedByPeer(code: 1000, reason: "")))
    }

    @Test func aPlainProxyIsTunnelledThroughAndMayRefuse() async throws {
        let proxy = try RawServer { connection in
            let request = connection.receive(until: "\r\n\r\n")
            guard request.hasPrefix("CONNECT venue.invalid:81 HTTP/1.1\r\n") else {
                return connection.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            }
            connection.send("HTTP/1.1 200 Connected\r\n\r\n")
            connection.send(connection.upgrade() + frame(0x81, "through") + frame(0x88, [0x03, 0xE8]))
            _ = connection.waitForEnd { $0.count == 8 }
        }
        let address = "http://127.0.0.1:\(proxy.port)"
        let story = try await self.story("ws://venue.invalid:81/", change: { $0.proxy = address })
        #expect(story.texts == ["through"])
        let refused = try await self.story("ws://other.invalid/", change: { $0.proxy = address })
        guard case .connectFailed(let detail) = refused.reason else { return #expect(Bool(false), "\(refused)") }
        #expect(detail.contains("403"))
    }

    @Test func aRefusedConnectionSaysSo() async throws {
        let port = try RawServer { _ in }.port
        let story = try await self.story("ws://127.0.0.1:\(port)/")
        guard case .refused = story.reason else { return #expect(Bool(false), "\(story)") }
        #expect(!story.isOpened)
    }

    @Test func anUnknownNameSaysSo() async throws {
        let story = try await self.story("ws://no-such-host.invalid/", change: { $0.connectTimeout = .seconds(15) })
        switch story.reason {
        case .unresolved, .timedOut(.connecting): break
        default: #expect(Bool(false), "\(story)")
        }
    }

    @Test func aServerThatNeverAnswersIsGivenUp() async throws {
        let server = try RawServer { _ = $0.waitForEnd() }
        let story = try await self.story(
            "ws://127.0.0.1:\(server.port)/", change: { $0.handshakeTimeout = .milliseconds(100) })
        #expect(story.reason == .timedOut(.handshake))
    }

    @Test func aTLSHandshakeThatNeverEndsIsGivenUp() async throws {
        let server = try RawServer { _ = $0.waitForEnd() }
        let story = try await self.story(
            "wss://127.0.0.1:\(server.port)/", change: { $0.connectTimeout = .milliseconds(200) })
        #expect(story.reason == .timedOut(.connecting))
    }

    @Test func anotherAnswerThan101IsARejection() async throws {
        let server = try RawServer { connection in
            _ = connection.upgrade()
            connection.send("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
            _ = connection.waitForEnd()
        }
        #expect(try await self.story("ws://127.0.0.1:\(server.port)/").reason == .handshakeRejected(status: 429))
    }

    @Test func anAnswerToAnotherKeyIsMalformed() async throws {
        let server = try RawServer { connection in
            connection.send(Array(connection.upgrade().dropLast(4)) + Array("x\r\n\r\n".utf8))
            _ = connection.waitForEnd()
        }
        guard case .handshakeMalformed = try await self.story("ws://127.0.0.1:\(server.port)/").reason else {
            return #expect(Bool(false), "a wrong answer was accepted")
        }
    }

    @Test func aLineThatEndsWithoutACloseIsLost() async throws {
        let polite = try RawServer { connection in
            connection.send(connection.upgrade() + frame(0x81, "a") + [0x81, 5, 1])
        }
        let story = try await self.story("ws://127.0.0.1:\(polite.port)/")
        #expect(story.texts == ["a"])
        guard case .connectionLost = story.reason else { return #expect(Bool(false), "\(story)") }
        let rude = try RawServer { connection in
            connection.send(connection.upgrade())
            connection.resetOnClose()
        }
        guard case .connectionLost = try await self.story("ws://127.0.0.1:\(rude.port)/").reason else {
            return #expect(Bool(false), "a reset was not noticed")
        }
    }

    @Test func aCloseCodeIsHeardThoughTheLineWasResetBehindIt() async throws {
        let isReading = Mutexed(false)
        let isReset = Mutexed(false)
        let server = try RawServer { connection in
            connection.send(connection.upgrade() + frame(0x81, "a"))
            while !isReading.value { usleep(1_000) }
            connection.send(frame(0x88, [0x0F, 0xA1]))
            connection.resetOnClose()
            // Ends the connection, and leaves a descriptor for the server to close.
            let null = clinux_open("/dev/null", O_RDONLY, 0)
            dup2(null, connection.descriptor)
            close(null)
            isReset.set(true)
        }
        let story = try await self.story(
            "ws://127.0.0.1:\(server.port)/",
            steer: { _, text in
                guard text != nil else { return }
                // Its loop stands still until close frame and reset are both there.
                isReading.set(true)
                while !isReset.value { usleep(1_000) }
            })
        #expect(story == Story(isOpened: true, texts: ["a"], reason: .closedByPeer(code: 4001, reason: "")))
    }

    @Test func aPeerThatBreaksTheProtocolIsToldWhy() async throws {
        let heardByServer = Mutexed<[UInt8]>([])
        let server = try RawServer { connection in
            connection.send(connection.upgrade() + frame(0x81, [0xFF]))
            heardByServer.set(connection.waitForEnd())
        }
        let story = try await self.story(
            "ws://127.0.0.1:\(server.port)/", change: { $0.closeTimeout = .milliseconds(100) })
        guard case .protocolError(1007, _) = story.reason else { return #expect(Bool(false), "\(story)") }
        try await waitUntil { heardByServer.value.count > 8 }
        let bytes = heardByServer.value
        #expect(bytes[0] == 0x88)
        #expect([bytes[6] ^ bytes[2], bytes[7] ^ bytes[3]] == [0x03, 0xEF])
    }

    @Test func aMessageOverTheBoundIsRefused() async throws {
        let server = try RawServer { connection in
            connection.send(connection.upgrade() + [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0])
            _ = connection.waitForEnd()
        }
        let story = try await self.story(
            "ws://127.0.0.1:\(server.port)/", change: { $0.closeTimeout = .milliseconds(50) })
        guard case .protocolError(1009, _) = story.reason else { return #expect(Bool(false), "\(story)") }
    }

    @Test func aCloseIsNotAnsweredForEver() async throws {
        let server = try RawServer { connection in
            connection.send(connection.upgrade())
            _ = connection.waitForEnd()
        }
        let story = try await self.story(
            "ws://127.0.0.1:\(server.port)/", change: { $0.closeTimeout = .milliseconds(100) },
            steer: { connection, _ in
                connection.close(code: 1001)
                #expect(!connection.isOpen && !connection.send(text: "late"))
            })
        #expect(story.reason == .closedByUs)
    }

    @Test func nothingIsDeliveredAfterACloseInTheMiddleOfARead() async throws {
        let server = try RawServer { connection in
            connection.send(connection.upgrade() + frame(0x81, "one") + frame(0x81, "two") + frame(0x88, [0x03, 0xE8]))
            _ = connection.waitForEnd()
        }
        let address = "ws://127.0.0.1:\(server.port)/"
        #expect(
            try await self.story(address, steer: { connection, text in if text != nil { connection.close() } }).texts
                == ["one"])
        #expect(
            try await self.story(address, steer: { connection, text in if text != nil { connection.abort() } }).texts
                == ["one"])
        let atOnce = try await self.story(address, steer: { connection, _ in connection.abort() })
        #expect(atOnce == Story(isOpened: true, reason: .closedByUs))
    }

    @Test func aPeerThatDoesNotReadFillsTheQueueAndNoMore() async throws {
        let isFull = Mutexed(false)
        let textByteCount = 100_000
        let frameByteCount = textByteCount + 14
        let server = try RawServer { connection in
            connection.send(connection.upgrade())
            // Begins to read only when the client could send no more.
            while !isFull.value { usleep(1_000) }
            _ = connection.waitForEnd { $0.count % frameByteCount == 8 }
            connection.send(frame(0x88, [0x03, 0xE8]))
        }
        let story = try await self.story(
            "ws://127.0.0.1:\(server.port)/",
            change: {
                $0.sendQueueByteCountMax = 200_000
                $0.closeTimeout = .seconds(10)
            },
            steer: { connection, _ in
                let text = String(repeating: "z", count: textByteCount)
                var count = 0
                while connection.send(text: text) { count += 1 }
                #expect(count < 1_000)
                #expect(connection.isOpen)
                isFull.set(true)
                connection.close()
            })
        #expect(story.reason == .closedByUs)
    }

    @Test func aConnectionThatIsClosedWhileItConnectsIsGivenUpSafely() async throws {
        let server = try RawServer { _ = $0.waitForEnd() }
        let address = "wss://127.0.0.1:\(server.port)/"
        let reasons: [WebSocketConnection.CloseReason]? = try await onLoop { loop, finish in
            var reasons: [WebSocketConnection.CloseReason] = []
            let options = Self.options { $0.connectTimeout = .milliseconds(300) }
            for delay in [0, 1, 5] {
                let connection = WebSocketConnection(url: try WebSocketURL(address), options: options, loop: loop)
                connection.onClosed = { reasons.append($0) }
                connection.connect()
                loop.after(.milliseconds(delay)) { connection.close() }
            }
            // Beyond the connect timeout: the threads have handed over to nobody.
            loop.after(.milliseconds(600)) { finish(reasons) }
        }
        #expect(reasons == [.closedByUs, .closedByUs, .closedByUs])
    }

    @Test func aConnectionGoesAwayWhenItHasEnded() async throws {
        let server = try RawServer { connection in
            connection.send(connection.upgrade() + frame(0x88, []))
            _ = connection.waitForEnd { $0.count == 6 }
        }
        let address = "ws://127.0.0.1:\(server.port)/"
        let isGone = try await onLoop { (loop, finish: @escaping (Bool) -> Void) in
            weak var weakConnection: WebSocketConnection?
            let connection = WebSocketConnection(url: try WebSocketURL(address), options: Self.options(), loop: loop)
            weakConnection = connection
            // A cycle on purpose: it is the connection's to break.
            connection.onText = { _ in connection.close() }
            connection.connect()
            func check() {
                if weakConnection == nil { finish(true) } else { loop.after(.milliseconds(5)) { check() } }
            }
            loop.after(.milliseconds(5)) { check() }
        }
        #expect(isGone == true)
    }
}

/// A value behind a lock, for the threads of a test.
final class Mutexed<Value: Sendable>: Sendable {
    private let storage: Synchronization.Mutex<Value>
    init(_ value: Value) { self.storage = Synchronization.Mutex(value) }
    var value: Value { self.storage.withLock { $0 } }
    func set(_ value: Value) { self.storage.withLock { $0 = value } }
    func change(_ body: (inout Value) -> Void) { self.storage.withLock { body(&$0) } }
}

/// Waits for a condition of another thread, at most 10 s.
func waitUntil(_ condition: @Sendable () -> Bool) async throws {
    for _ in 0..<5_000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    #expect(condition(), "a condition did not come true in time")
}
