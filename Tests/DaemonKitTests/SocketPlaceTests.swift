import Glibc
import Testing

@testable import DaemonKit

/// A daemon whose socket somebody removes, as a real process.
@Suite struct SocketPlaceTests {
    /// Whether somebody answers on `path`, in time.
    private func answers(_ path: String) async -> Bool {
        await DaemonTest.eventually {
            guard let descriptor = UnixSocket.connect(path) else { return false }
            close(descriptor)
            return true
        }
    }

    @Test func aRemovedSocketComesBackByItself() async throws {
        let directory = try DaemonTestDirectory()
        let daemon = try DaemonProcess(environment: ["PROBE": "serve"], directory: directory)
        let path = directory.path("run/probed.sock")
        #expect(await self.answers(path))
        unlink(path)
        #expect(await daemon.says("The socket was gone and is back in its place"))
        #expect(await self.answers(path))
        // Its directory too.
        unlink(path)
        #expect(rmdir(directory.path("run")) == 0)
        #expect(await self.answers(path))
        #expect(DaemonTest.mode(of: directory.path("run")) == 0o700)
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
        #expect(UnixListener.Place(of: path) == nil)
    }

    @Test func aPlaceThatIsTakenIsToldOnceAndTakenWhenItIsFree() async throws {
        let directory = try DaemonTestDirectory()
        let daemon = try DaemonProcess(environment: ["PROBE": "serve"], directory: directory)
        let path = directory.path("run/probed.sock")
        #expect(await self.answers(path))
        unlink(path)
        let other = try UnixListener.bind(path, mode: 0o600)
        #expect(await daemon.says("The socket is gone from its place and cannot be made anew"))
        #expect(other.isInPlace)
        other.stop()
        #expect(await daemon.says("The socket was gone and is back in its place"))
        let told = daemon.standardError.split(separator: "\n").filter { $0.contains("cannot be made anew") }
        #expect(told.count == 1)
        daemon.send(SIGTERM)
        #expect(await daemon.exitCode() == 0)
    }

    @Test func underAManagerALostPlaceIsWorthARestart() async throws {
        let directory = try DaemonTestDirectory()
        let manager = try DatagramSocket(path: directory.path("notify"))
        let daemon = try DaemonProcess(
            environment: ["PROBE": "serve", "NOTIFY_SOCKET": directory.path("notify")], directory: directory)
        let path = directory.path("run/probed.sock")
        #expect(await self.answers(path))
        unlink(path)
        let other = try UnixListener.bind(path, mode: 0o600)
        defer { other.stop() }
        #expect(await daemon.exitCode() == 75)
        #expect(other.isInPlace)
        var stored: [String] = []
        while let message = manager.next() { if message.text.hasPrefix("FDSTORE=1") { stored.append(message.text) } }
        #expect(stored.count == 1 && stored[0].contains("FDNAME=probed@"))
    }
}
