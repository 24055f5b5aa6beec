import Glibc

@testable import DaemonKit

/// A disk of 64 KiB that a test fills and empties: a file system of its own, which only root may mount.
final class SmallDisk: Sendable {
    static let isPossible: Bool = {
        guard getuid() == 0, let directory = try? TemporaryDirectory(), let disk = try? SmallDisk(at: directory.path)
        else { return false }
        return disk.fill()
    }()

    private static let byteCount = 64 << 10
    let path: String

    init(at parent: String) throws(SystemError) {
        self.path = parent + "/disk"
        guard mkdir(self.path, 0o700) == 0 else { throw SystemError("mkdir") }
        guard mount("polybot-test", self.path, "tmpfs", 0, "size=\(Self.byteCount),mode=0700") == 0 else {
            throw SystemError("mount")
        }
    }

    deinit {
        umount2(self.path, Int32(MNT_DETACH))
        rmdir(self.path)
    }

    private var filler: String { self.path + "/filler" }

    /// Takes all room that is left.
    ///
    /// - Returns: whether the disk is full now.
    func fill() -> Bool {
        guard let file = fopen(self.filler, "ae") else { return false }
        defer { fclose(file) }
        setvbuf(file, nil, _IONBF, 0)
        while fputc(0x78, file) != EOF {}
        return errno == ENOSPC
    }

    /// Gives the room back.
    func makeRoom() { unlink(self.filler) }
}
