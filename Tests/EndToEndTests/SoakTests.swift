import Glibc
import Shared
import Testing

/// Minutes of trading on paper while programs are killed one after another. `make soak` runs it.
@Suite(.serialized, .enabled(if: Programs.variable("POLYBOT_SOAK") != nil, "minutes long: `make soak` runs it"))
struct SoakTests {
    private static let runSeconds = 120
    private static let killInterval = Duration.seconds(8)
    /// A child that is killed is whole again within this time.
    private static let outageMaxMilliseconds: Int64 = 3_000

    @Test func soakedInKillsTheRunHealsAndAddsUp() async throws {
        let directory = try TemporaryDirectory()
        let seed = Programs.variable("SOAK_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        let run = try RunningProgram(
            Programs.path(of: "polybot"),
            ["run", "--for", "\(Self.runSeconds)s", "--json", "--runtime-dir", directory.file("run")],
            in: directory.path, environment: ["TMPDIR": directory.path])
        let clock = ContinuousClock()
        let lastKill = clock.now + .seconds(Self.runSeconds - 20)
        var killCount: Int64 = 0
        while clock.now + Self.killInterval < lastKill, run.ending == nil {
            try await Task.sleep(for: Self.killInterval)
            let children = Self.children(of: run.pid)
            guard let victim = children.sorted(by: { $0.key < $1.key }).randomElement(using: &random) else { continue }
            kill(victim.value, SIGKILL)
            killCount += 1
        }
        let ending = try await run.waitForEnd(within: .seconds(Self.runSeconds))
        #expect(ending == .exited(0), "SOAK_SEED=\(seed)\n\(run.report)")
        let summary = try JSONValue(parsing: Array(run.text(of: .output).utf8))
        let restarts = summary["restarts"]?.object?.values.reduce(Int64(0)) { $0 + ($1.integer ?? 0) }
        #expect(restarts == killCount, "SOAK_SEED=\(seed)")
        #expect(summary["untrusted"]?.integer == 0, "SOAK_SEED=\(seed)")
        #expect((summary["fills"]?.integer ?? 0) > 0, "SOAK_SEED=\(seed)")
        for (name, outage) in summary["longest_outage_ms"]?.object ?? [:] {
            #expect((outage.integer ?? .max) <= Self.outageMaxMilliseconds, "\(name), SOAK_SEED=\(seed)")
        }
        #expect(directory.names == [])
    }

    private static func children(of run: pid_t) -> [String: pid_t] {
        var children: [String: pid_t] = [:]
        let text = contents(of: "/proc/\(run)/task/\(run)/children") ?? []
        for pid in String(decoding: text, as: UTF8.self).split(separator: " ").compactMap({ pid_t($0) }) {
            let name = String(decoding: contents(of: "/proc/\(pid)/comm") ?? [], as: UTF8.self)
            children[String(name.prefix { $0 != "\n" })] = pid
        }
        return children
    }
}
