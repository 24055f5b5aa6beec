import Shared

/// What may go wrong at the venue, as asked for at `POST /control` or by a script. `FaultTable` names them all.
enum Fault: Hashable, Sendable {
    /// `code` is of the close frame that is sent first; without one the connection just ends.
    case drop(code: UInt16?)
    case reset
    /// Seconds without a listener.
    case restart(seconds: Int64)
    case refuseConnections(seconds: Int64)
    case refuseUpgrades(seconds: Int64)
    case withholdBooks(seconds: Int64)
    case silence(seconds: Int64, answersPings: Bool)
    /// Of that market alone; `nil` for all.
    case lie(seconds: Int64, market: String?)
    /// Of the price streams, as the next.
    case dropPrices(code: UInt16?)
    case silencePrices(seconds: Int64)
    case dropUsers(code: UInt16?)
    case refuseUsers(seconds: Int64)
    case silenceUsers(seconds: Int64)
    case delta(DeltaFault)
    case frame(OddFrame)
    case request(RequestFault)
    case staleBooks(StaleBooks, seconds: Int64)
    case changeTick(TickSize, market: String?)
    case resolve(winner: Int, market: String?)
    case listMarket
    /// Milliseconds that are added to the venue's clock from now on.
    case skewClock(Int64)
    /// `nil` until `resume`.
    case pauseTraffic(seconds: Int64?)
    case resume
    case desk(DeskFault)
    case heal
    /// Of one connection of the market channel alone, counted from one, the oldest first.
    indirect case only(Fault, connection: Int)
    /// Of scripts alone.
    case awaitSubscription
}

/// What happens to the next deltas of the market channel.
struct DeltaFault: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case lost
        case doubled
        /// So many milliseconds late, while those after it are on time.
        case late(Int64)
        /// After the first delta of the next operation on its market.
        case reordered
        case wrongSize
        case wrongHash
        case cut
    }

    let kind: Kind
    /// Deltas that it still happens to.
    var count: Int
    /// Condition id, slug or token; `nil` for whichever market comes next.
    let market: String?
}

/// A text frame that no honest venue sends.
enum OddFrame: Hashable, Sendable {
    case emptyArray
    case brokenJSON
    case brokenUTF8
    case huge(byteCount: Int)

    var bytes: [UInt8] {
        switch self {
        case .emptyArray: return Array("[]".utf8)
        case .brokenJSON: return Array(#"{"event_type":"price_change","market":"0x"#.utf8)
        case .brokenUTF8: return Array(#"{"event_type":""#.utf8) + [0xC3, 0x28, 0xFF] + Array(#""}"#.utf8)
        case .huge(let byteCount):
            var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: byteCount)
            for (index, byte) in zip([0, 1, byteCount - 2, byteCount - 1], Array(#"[""]"#.utf8)) { bytes[index] = byte }
            return bytes
        }
    }
}

/// What happens to the next requests of a path.
struct RequestFault: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Answered without any work. Seconds for `Retry-After`.
        case status(Int, retryAfter: Int64?)
        /// Milliseconds until the answer leaves.
        case slow(Int64)
        /// The work is done, then the connection ends without an answer.
        case lost

        func isSame(as other: Kind) -> Bool {
            switch (self, other) {
            case (.status, .status), (.slow, .slow), (.lost, .lost): true
            case (.status, _), (.slow, _), (.lost, _): false
            }
        }
    }

    let kind: Kind
    /// "/book" is that path and all below it, "/" everything.
    let path: String
    var count: Int

    func concerns(_ path: [String]) -> Bool {
        let wanted = self.path.split(separator: "/").map(String.init)
        return path.starts(with: wanted)
    }
}

/// What the book pages show instead of the books.
enum StaleBooks: String, Hashable, Sendable, CaseIterable {
    /// 0.01 bid and 0.99 asked, in every market.
    case placeholder
    /// The books of the moment when the fault began.
    case old
}
