import Shared

/// What a share brings to who sells it now.
enum Mark: Hashable, Sendable {
    case bid(Price)
    /// Nobody has bid for a while.
    case nobody

    /// Millionths of a pUSD.
    var micros: Int64 {
        switch self {
        case .bid(let price): Int64(price.micros)
        case .nobody: 0
        }
    }

    init?(micros: Int64) {
        guard micros != 0 else {
            self = .nobody
            return
        }
        guard let price = Price(micros: micros) else { return nil }
        self = .bid(price)
    }

    func worth(of size: Quantity) -> Money {
        switch self {
        case .bid(let price): size.notional(at: price)
        case .nobody: .zero
        }
    }
}
