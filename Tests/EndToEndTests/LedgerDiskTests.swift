import Glibc
import Testing

@testable import DaemonKit

/// What stratd makes of a disk that takes a record and then loses it.
@Suite struct LedgerDiskTests {
    /// The next sync of a ledger fails once the file `LOSE_AT` is there, which it takes away.
    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        int fdatasync(int fd) {
            static int (*real)(int);
            if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
            char link[64], path[4096] = {0};
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            if (readlink(link, path, sizeof path - 1) < 0 || !strstr(path, "/ledger-")) return real(fd);
            if (unlink(getenv("LOSE_AT"))) return real(fd);
            errno = EIO;
            return -1;
        }
        """#

    @Test func aHaltThatTheDiskLostIsHeardOfAndWrittenAgain() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("loser.c", Self.source)
        let compiler = try RunningProgram(
            "cc", ["-O1", "-shared", "-fPIC", "-o", directory.file("loser.so"), directory.file("loser.c"), "-ldl"])
        guard try await compiler.waitForEnd() == .exited(0) else { throw WaitedInVain(description: compiler.report) }
        let stratd = try RunningProgram(
            Programs.path(of: "stratd"),
            ["--runtime-dir", directory.path, "--state-dir", directory.file("state")], in: directory.path,
            environment: ["LD_PRELOAD": directory.file("loser.so"), "LOSE_AT": directory.file("lose")])
        _ = try await stratd.line(of: .errors) { $0.contains("Started") }
        try directory.write("lose", "")
        let halt = try RunningProgram(
            Programs.path(of: "polybot"), ["halt", "--runtime-dir", directory.path], in: directory.path)
        #expect(try await halt.waitForEnd() == .exited(0), "\(halt.report)")
        // Nothing is recorded after the halt, and yet its loss is heard of.
        _ = try await stratd.line(of: .errors) { $0.contains("The journal cannot be written") }
        _ = try await stratd.line(of: .errors) { $0.contains("The journal takes records again") }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        let next = try RunningProgram(
            Programs.path(of: "stratd"),
            ["--runtime-dir", directory.path, "--state-dir", directory.file("state")], in: directory.path)
        let read = try await next.line(of: .errors) { $0.contains("The ledger was read") }
        #expect(read.contains("halted=true"))
        #expect(try await next.stop() == .exited(0), "\(next.report)")
    }
}
