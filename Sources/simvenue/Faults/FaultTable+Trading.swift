import Shared
import Signing

/// The faults that traders meet.
extension FaultTable {
    private static let address = FaultParameter("address", .address, isRequired: true)

    static let trading = Self.availability + Self.accounts

    private static let availability = [
        Row(
            name: "engine_restart",
            parameters: [
                Self.seconds(90),
                FaultParameter("post_only_seconds", .whole(0...Self.secondsMax), default: .whole(120)),
            ],
            sentence: "Orders and cancels get 425 for a time; after it, for another, only post-only orders are taken."
        ) {
            .desk(
                .engineRestart(
                    seconds: $0.whole("seconds") ?? 0, postOnlySeconds: $0.whole("post_only_seconds") ?? 0))
        },
        Row(
            name: "cancel_only", parameters: [Self.seconds(60)],
            sentence: "Orders get 503 for a time; cancels are taken."
        ) { .desk(.cancelOnly(seconds: $0.whole("seconds") ?? 0)) },
        Row(
            name: "disable_trading", parameters: [Self.seconds(60)],
            sentence: "Orders and cancels get 503 for a time."
        ) { .desk(.disableTrading(seconds: $0.whole("seconds") ?? 0)) },
        Row(
            name: "geoblock", parameters: [Self.seconds(60)],
            sentence: "Orders get 403 for a time, and /api/geoblock says why; cancels are taken."
        ) { .desk(.geoblock(seconds: $0.whole("seconds") ?? 0)) },
        Row(
            name: "refuse_heartbeats", parameters: [Self.seconds(30)],
            sentence: "Heartbeats get 503 for a time, so that the kill-switch of every armed key goes off."
        ) { .desk(.refuseHeartbeats(seconds: $0.whole("seconds") ?? 0)) },
        Row(
            name: "stale_positions",
            parameters: [Self.seconds(300), FaultParameter("told", .flag, default: .flag(false))],
            sentence:
                "The Data API's /v2/positions goes on showing for a time what is held now; /v2/status admits it where told."
        ) { .desk(.stalePositions(seconds: $0.whole("seconds") ?? 0, isTold: $0.flag("told"))) },
    ]

    private static let accounts = [
        Row(
            name: "cancel_by_venue", parameters: [FaultParameter("order", .order)],
            sentence: "Cancels that order, or all that traders of the desk have open."
        ) { .desk(.cancelByVenue($0.text("order").flatMap { OrderHash($0) })) },
        Row(
            name: "balance_gone", parameters: [Self.address],
            sentence: "Takes all pUSD of the account at that address; orders that it can no longer pay for end."
        ) { order in Self.withAddress(order) { .balanceGone($0) } },
        Row(
            name: "revoke_shares", parameters: [Self.address],
            sentence: "The exchanges may move no shares of the account at that address any more; its sales end."
        ) { order in Self.withAddress(order) { .revokeShares($0) } },
        Row(
            name: "settlement_fails", parameters: [Self.seconds(nil)],
            sentence: "The next trade of a trader of the desk fails a second after it matched; or all for a time."
        ) { .desk(.settlement(isFinal: true, seconds: $0.whole("seconds"))) },
        Row(
            name: "settlement_retries", parameters: [Self.seconds(nil)],
            sentence:
                "The next trade of a trader of the desk is sent again a second after it matched; or all for a time."
        ) { .desk(.settlement(isFinal: false, seconds: $0.whole("seconds"))) },
        Row(
            name: "ban", parameters: [Self.address],
            sentence: "The account at that address, or all of that signer, may place no orders."
        ) { order in Self.withAddress(order) { .standing($0, .banned) } },
        Row(
            name: "closed_only", parameters: [Self.address],
            sentence: "The account at that address, or all of that signer, may only sell what it holds."
        ) { order in Self.withAddress(order) { .standing($0, .closedOnly) } },
        Row(
            name: "pardon", parameters: [Self.address],
            sentence: "Ends ban and closed_only; heal does not."
        ) { order in Self.withAddress(order) { .standing($0, .normal) } },
    ]

    /// The parameter was read as an address before.
    private static func withAddress(_ order: FaultOrder, _ fault: (Address) -> DeskFault) -> Fault {
        .desk(fault(order.text("address").flatMap { Address($0) } ?? .zero))
    }
}
