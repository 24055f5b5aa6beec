import Shared

extension OrderState {
    /// Whether an answer of the venue, or our own step, may take an order from here to `next`.
    ///
    ///     intended      sent rejected cancelled
    ///     sent          live delayed partly_filled filled cancelling cancelled rejected unknown expired
    ///     live          partly_filled filled cancelling cancelled unknown expired
    ///     delayed       live partly_filled filled cancelled rejected unknown expired
    ///     partly_filled filled cancelling cancelled unknown expired
    ///     cancelling    live partly_filled filled cancelled unknown expired
    ///     unknown       live delayed partly_filled filled cancelling cancelled rejected expired
    ///
    /// Finished states have no way out; a fill that comes late is booked without leaving them.
    func mayBecome(_ next: OrderState) -> Bool {
        switch self {
        case .intended: [.sent, .rejected, .cancelled].contains(next)
        case .sent:
            [.live, .delayed, .partlyFilled, .filled, .cancelling, .cancelled, .rejected, .unknown, .expired].contains(
                next)
        case .live: [.partlyFilled, .filled, .cancelling, .cancelled, .unknown, .expired].contains(next)
        case .delayed: [.live, .partlyFilled, .filled, .cancelled, .rejected, .unknown, .expired].contains(next)
        case .partlyFilled: [.filled, .cancelling, .cancelled, .unknown, .expired].contains(next)
        case .cancelling: [.live, .partlyFilled, .filled, .cancelled, .unknown, .expired].contains(next)
        case .unknown:
            [.live, .delayed, .partlyFilled, .filled, .cancelling, .cancelled, .rejected, .expired].contains(next)
        case .filled, .cancelled, .rejected, .expired: false
        }
    }

    /// Where a fill takes it, when something of the order is left and when nothing is. `nil`: no fill can be right here.
    func afterFill(isWhole: Bool) -> OrderState? {
        switch self {
        case .intended: nil
        case .sent, .live, .delayed, .partlyFilled: isWhole ? .filled : .partlyFilled
        // Whether the rest still rests is not known, or is being ended: only a whole fill settles that.
        case .cancelling, .unknown: isWhole ? .filled : self
        // The venue matched before it cancelled, and told us late.
        case .cancelled, .expired, .rejected: self
        case .filled: nil
        }
    }

    /// Whether a cancel can be sent now: the venue is known to hold the order and no cancel is under way.
    var isCancellable: Bool {
        switch self {
        case .live, .partlyFilled: true
        case .intended, .sent, .delayed, .cancelling, .unknown, .filled, .cancelled, .rejected, .expired: false
        }
    }
}
