import Glibc
import Testing

@testable import DaemonKit

/// What systemd hears, through a socket that stands for its own.
@Suite struct NotifierTests {
    /// The manager's side of one daemon.
    private final class Manager {
        let directory: DaemonTestDirectory
        let socket: DatagramSocket
        private(set) var messages: [DatagramSocket.Message] = []

        init() throws {
            self.directory = try DaemonTestDirectory()
            self.socket = try DatagramSocket(path: self.directory.path("notify"))
        }

        func start(
            probe: String, _ environment: [String: String] = [:], descriptors: [Int32] = []
        ) throws -> DaemonProcess {
            var variables = environment
            variables["PROBE"] = probe
            variables["NOTIFY_SOCKET"] = self.directory.path("notify")
            return try DaemonProcess(
                environment: variables, descriptors: descriptors, directory: self.directory,
                setsListenProcess: !descriptors.isEmpty)
        }

        /// Whether `text` was said `count` times, in time.
        func hears(_ text: String, times count: Int = 1) async -> Bool {
            await self.listens { self.messages.count { $0.text == text } >= count }
        }

        /// Takes in what is said until `condition` holds: a manager that does not listen blocks whoever speaks.
        func listens(until condition: () -> Bool) async -> Bool {
            await DaemonTest.eventually {
                while let message = self.socket.next() { self.messages.append(message) }
                return condition()
            }
        }
    }

    @Test func readyIsSaidOnceAndStoppingAtTheEnd() async throws {
        let manager = try Manager()
        let daemon = try manager.start(probe: "")
        #expect(await manager.hears("READY=1"))
        daemon.send(SIGTERM)
        #expect(await manager.hears("STOPPING=1"))
        #expect(await daemon.exitCode() == 0)
        #expect(manager.messages.map(\.text) == ["STATUS=probing", "READY=1", "STOPPING=1"])
    }

    @Test func theBeatComesAtHalfOfTheInterval() async throws {
        let manager = try Manager()
        let daemon = try manager.start(probe: "", ["WATCHDOG_USEC": "40000"])
        #expect(await manager.hears("WATCHDOG=1", times: 5))
        // A process that is stopped beats no more: what the manager restarts.
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
    }

    @Test func theBeatStopsWhenTheWorkDoes() async throws {
        let manager = try Manager()
        let daemon = try manager.start(probe: "not-advancing", ["WATCHDOG_USEC": "20000"])
        #expect(await manager.hears("READY=1"))
        // Ten intervals in which a beat would have come.
        try await Task.sleep(for: .milliseconds(200))
        daemon.send(SIGTERM)
        #expect(await manager.hears("STOPPING=1"))
        let texts = manager.messages.map(\.text)
        let sinceReady = texts[texts.firstIndex(of: "READY=1")!...]
        #expect(!sinceReady.contains("WATCHDOG=1"))
        #expect(await daemon.exitCode() == 0)
        // Which part it was is said once, not at every beat that is left out.
        let lines = daemon.standardError.split(separator: "\n").filter { $0.contains("The watchdog is not fed") }
        #expect(lines.count == 1 && lines[0].contains("part=probe"), "\(lines)")
    }

    @Test func onePartThatStandsStillEndsTheBeat() async throws {
        let manager = try Manager()
        let daemon = try manager.start(probe: "drill", ["WATCHDOG_USEC": "20000"])
        #expect(await manager.hears("WATCHDOG=1", times: 3))
        #expect(await manager.listens { daemon.standardError.contains("The probe is wedged known=true") })
        let sentence = "The watchdog is not fed: a part does not advance part=drilled"
        #expect(await manager.listens { daemon.standardError.contains(sentence) })
        let count = manager.messages.count { $0.text == "WATCHDOG=1" }
        // Ten intervals in which a beat would have come.
        try await Task.sleep(for: .milliseconds(200))
        daemon.send(SIGTERM)
        #expect(await manager.hears("STOPPING=1"))
        #expect(manager.messages.count { $0.text == "WATCHDOG=1" } == count)
        #expect(!daemon.standardError.contains("part=healthy"))
        #expect(await daemon.exitCode() == 0)
    }

    @Test func theListenerIsLeftInKeepingAndTakenBack() async throws {
        let manager = try Manager()
        let first = try manager.start(probe: "keep")
        let stored = "FDSTORE=1\nFDNAME=probed"
        #expect(await manager.hears(stored))
        let kept = try #require(manager.messages.first { $0.text == stored }?.descriptors.first)
        defer { close(kept) }
        first.send(SIGKILL)
        #expect(await first.exitCode() == -SIGKILL)

        let second = try manager.start(
            probe: "keep", ["LISTEN_FDS": "1", "LISTEN_FDNAMES": "probed"], descriptors: [kept])
        #expect(await second.says("Took the kept listener descriptor=3"))
        second.send(SIGTERM)
        #expect(await second.exitCode() == 0)
        #expect(manager.messages.count { $0.text == stored } == 1)
    }

    @Test func aKeptDescriptorThatNobodyTakesIsDropped() async throws {
        let manager = try Manager()
        let other = try DatagramSocket(path: manager.directory.path("other"))
        let daemon = try other.withDescriptor { descriptor in
            try manager.start(probe: "", ["LISTEN_FDS": "1", "LISTEN_FDNAMES": "older"], descriptors: [descriptor])
        }
        #expect(await manager.hears("FDSTOREREMOVE=1\nFDNAME=older"))
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
    }
}
