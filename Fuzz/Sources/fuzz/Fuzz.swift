import Glibc

/// What is fed: one target for each reader of bytes that others made. `FUZZ_TARGET` chooses.
///
/// A target traps when something does not hold that must hold for all bytes: that is what libFuzzer looks for, beside what
/// the address sanitizer finds.
enum Target: String, CaseIterable {
    case configuration, deflate, frames, gamma, handshake, json, numbers, websocket
    case marketChannel = "market-channel"

    /// Read once; libFuzzer's own main cannot hand it on.
    static let chosen: Target = {
        guard let name = getenv("FUZZ_TARGET").map({ String(cString: $0) }), let target = Target(rawValue: name) else {
            fatalError("FUZZ_TARGET is one of \(Target.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return target
    }()

    func run(_ input: UnsafeBufferPointer<UInt8>) {
        switch self {
        case .configuration: ConfigurationTarget.run(input)
        case .deflate: DeflateTarget.run(input)
        case .frames: FramesTarget.run(input)
        case .gamma: GammaTarget.run(input)
        case .handshake: HandshakeTarget.run(input)
        case .json: JSONTarget.run(input)
        case .marketChannel: MarketChannelTarget.run(input)
        case .numbers: NumbersTarget.run(input)
        case .websocket: WebSocketTarget.run(input)
        }
    }
}

/// libFuzzer's own `main`, under the name that SwiftPM gives to a program's.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main enum Fuzz {
    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(
            runDriver(&count, &arguments) { start, count in
                Target.chosen.run(UnsafeBufferPointer(start: start, count: count))
                return 0
            })
    }
}

/// Ends the run with a finding.
func check(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { fatalError(what()) }
}

/// The same bytes in pieces: whole, one by one, and cut at two places that the bytes themselves choose.
func cuts(of bytes: [UInt8]) -> [[[UInt8]]] {
    guard bytes.count > 1 else { return [[bytes]] }
    let seed = bytes.reduce(UInt64(bytes.count)) { ($0 &* 31) &+ UInt64($1) }
    let first = Int(seed % UInt64(bytes.count))
    let second = first + Int(seed / 7 % UInt64(bytes.count - first))
    let parts = [Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]
    return [[bytes], bytes.map { [$0] }, parts]
}
