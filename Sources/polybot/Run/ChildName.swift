/// The programs that `polybot run` starts, in the order in which they are started.
enum ChildName: String, CaseIterable, Comparable, Sendable {
    case simvenue, scannerd, feedd, stratd

    /// From last to first: whoever depends on another goes before it.
    static let stopOrder: [ChildName] = [.stratd, .scannerd, .feedd, .simvenue]

    /// The daemons, which have a socket.
    static let daemons: [ChildName] = [.scannerd, .feedd, .stratd]

    private var rank: Int { Self.allCases.firstIndex(of: self)! }
    static func < (a: ChildName, b: ChildName) -> Bool { a.rank < b.rank }
}
