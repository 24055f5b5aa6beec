import Shared
import Signing

/// Balances, notifications, rewards, and what everybody may ask. Source: reference, 2.3, 2.10 and 2.11.
extension Desk {
    /// Orders of one `POST /orders-scoring`.
    static let scoringCountMax = 500
    /// How long an order rests before it scores.
    private static let scoringAge = Duration.milliseconds(3_500)
    /// What a contract may move when that was approved without limit: the largest number of 256 bits.
    private static let unlimited = TokenID(words: (.max, .max, .max, .max)).description

    // MARK: Balances

    /// What the chain knows of an account: open orders are not taken off. Reading it anew changes nothing, as the
    /// simulation's chain is never behind.
    mutating func balance(
        _ route: DeskRoute, _ request: PageRequest, _ key: APIKey, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        guard let type = SignatureType(rawValue: request.value("signature_type").map { UInt8($0) ?? .max } ?? 0) else {
            return .error(400, "Invalid signature type")
        }
        guard let asset = request.value("asset_type"), ["COLLATERAL", "CONDITIONAL", "CONDITIONAL-V2"].contains(asset)
        else { return .error(400, "Invalid asset type") }
        var token: TokenID?
        if asset != "COLLATERAL" {
            token = request.value("token_id").flatMap { TokenID($0) }
            guard token != nil else { return .invalidToken }
        }
        let address = self.funder(of: key.signer, type)
        guard let account = self.account(at: address, of: key.signer, at: time, engine: &engine) else {
            return .error(500, "no more accounts are opened")
        }
        if route == .updateBalance { return .json { $0.object { _ in } } }
        return self.balance(of: account, token, engine.engine)
    }

    private func balance(of account: AccountID, _ token: TokenID?, _ engine: MatchingEngine) -> Answer {
        let holder = engine.accounts[account.index]
        let balance =
            token.map { token in engine.place(of: token).map { holder.holding($0).balance.micros } ?? 0 }
            ?? holder.money.micros
        return .json {
            $0.object {
                $0.key("balance")
                $0.string("\(balance)")
                $0.key("allowances")
                $0.object { writer in
                    for contract in ExchangeContract.allCases {
                        let approval = holder.approval(contract)
                        let isAll = token == nil ? approval.money.micros == .max : approval.movesShares
                        writer.key(dynamic: contract.domain(on: self.settings.chain).verifyingContract.description)
                        writer.string(isAll ? Self.unlimited : token == nil ? "\(approval.money.micros)" : "0")
                    }
                }
            }
        }
    }

    /// Where a signer's funds are for orders signed so: in the wallet that is in use, or else in the newest kind.
    private func funder(of signer: Address, _ type: SignatureType) -> Address {
        let wallets = Signatures.wallets(of: signer, type)
        return wallets.first { self.accounts.account(of: $0) != nil } ?? wallets[0]
    }

    // MARK: Notifications

    mutating func notifications(_ route: DeskRoute, _ request: PageRequest, _ key: APIKey) -> Answer {
        let own = self.accounts.accounts(of: key.signer)
        guard route == .notifications else {
            let ids = request.value("ids")?.split(separator: ",").compactMap { Int($0) } ?? []
            for account in own { self.notices.drop(Set(ids), of: account) }
            return .json { $0.string("OK") }
        }
        let notices = own.flatMap { self.notices.notices(of: $0) }.sorted { $0.id < $1.id }
        return .json {
            $0.array { writer in
                for notice in notices {
                    writer.object {
                        $0.key("id")
                        $0.integer(notice.id)
                        $0.key("owner")
                        $0.string(key.id)
                        $0.key("type")
                        $0.integer(notice.kind.rawValue)
                        $0.key("timestamp")
                        $0.integer(notice.time.microseconds / 1_000_000)
                        $0.key("payload")
                        $0.object {
                            $0.key(notice.kind == .cancel ? "order_id" : "trade_id")
                            $0.string(notice.subject)
                        }
                    }
                }
            }
        }
    }

    // MARK: Scoring

    func scoring(_ route: DeskRoute, _ request: PageRequest, _ key: APIKey, _ engine: MatchingEngine) -> Answer {
        if route == .orderScoring {
            guard let hash = request.value("order_id").flatMap({ OrderHash($0) }) else {
                return .error(400, "Invalid order id")
            }
            return .json {
                $0.object {
                    $0.key("scoring")
                    $0.bool(self.isScoring(hash, key, engine))
                }
            }
        }
        guard let ids = (try? JSONValue(parsing: request.body))?.array, ids.count <= Self.scoringCountMax else {
            return .error(400, "Invalid order payload")
        }
        let hashes = ids.compactMap { $0.string.flatMap { OrderHash($0) } }
        guard hashes.count == ids.count else { return .error(400, "Invalid order id") }
        return .json {
            $0.object { writer in
                for hash in Set(hashes).sorted() {
                    writer.key(dynamic: hash.description)
                    writer.bool(self.isScoring(hash, key, engine))
                }
            }
        }
    }

    /// Whether an order earns rewards: of some size, near the midpoint, and resting for some time.
    private func isScoring(_ hash: OrderHash, _ key: APIKey, _ engine: MatchingEngine) -> Bool {
        guard let order = engine.order(hash), self.accounts.owned(order.signed.account)?.signer == key.signer,
            order.status == .live, engine.now - order.createdTime >= Self.scoringAge
        else { return false }
        let market = engine.markets[order.market]
        guard let rewards = market.terms.rewards, order.remaining >= rewards.sizeMin,
            let bid = market.book.bids.last?.price, let ask = market.book.asks.last?.price
        else { return false }
        // Twice all of it, so that the midpoint is whole.
        let distance = abs(2 * Int64(order.bookPrice.micros) - Int64(bid.micros) - Int64(ask.micros))
        return distance <= 2 * rewards.spreadMax
    }

    // MARK: For everybody

    func answerAnybody(_ route: DeskRoute, _ request: PageRequest, at time: Timestamp) -> Answer {
        switch route {
        case .geoblock:
            let isBlocked = self.availability.isGeoblocked(at: time)
            return .json {
                $0.object {
                    $0.key("blocked")
                    $0.bool(isBlocked)
                    $0.key("ip")
                    $0.string("127.0.0.1")
                    $0.key("country")
                    $0.string(isBlocked ? "US" : "IE")
                    $0.key("region")
                    $0.string(isBlocked ? "NY" : "L")
                }
            }
        case .builderFees:
            return .json {
                $0.object {
                    $0.key("builder_maker_fee_rate_bps")
                    $0.integer(0)
                    $0.key("builder_taker_fee_rate_bps")
                    $0.integer(0)
                }
            }
        case .rebates: return .json { $0.array { _ in } }
        default: return PageCursor.answer(request, [Int]()) { _, _ in }
        }
    }
}
