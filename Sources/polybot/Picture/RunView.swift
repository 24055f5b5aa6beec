import Shared

/// What a screen shows beyond the frames: how the run itself stands.
struct RunView {
    /// One row of the list of daemons.
    struct Child: Hashable {
        var state: String
        var pid: Int64?
        /// `nil` when somebody else watches over it.
        var restarts: Int?
    }

    /// "embedded venue on port 41233", or the venue's address.
    var venue: String
    /// Since the start; `nil` when somebody else started the daemons.
    var elapsed: Duration?
    /// Whether money is real; `nil` while nobody has said.
    var mode: TradingMode?
    var children: [ChildName: Child]
    /// systemd's view of the daemons' units, as lines; empty where there is none.
    var units: [String] = []
    /// What a person should know now: the last restart, the way out.
    var note: String
}
