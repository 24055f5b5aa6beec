import DaemonKit
import Shared
import Signing

/// The private half of the venue's REST interface. Source: reference, 2.2 to 2.4, 4.1 and 4.2.
struct ClobClient: Sendable {
    /// Orders in one page, and pages of one list, that are read at most.
    private static let pageCountMax = 1_000
    private static let firstCursor = "MA=="
    private static let lastCursor = "LTE="
    /// Base64 of either kind: whatever else came would change the query's meaning.
    /// What the venue's ids are made of.
    static let idBytes = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let cursorBytes = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=".utf8)
    static let timeout = Duration.seconds(10)
    /// Of a heartbeat: one that waits longer is of no use.
    private static let beatTimeout = Duration.seconds(2)
    /// Of the year 9999.
    private static let secondsMax: Int64 = 253_402_300_799
    /// A year, in seconds: a clock that differs by more is no clock.
    private static let clockDistanceMax: Int64 = 31_536_000

    let client: RESTClient
    let baseURL: String
    let key: PrivateKey
    /// What must be added to our clock to get the venue's.
    var clockOffset = Duration.zero

    struct Cancellation: Equatable {
        var cancelled: [String] = []
        /// With the venue's reasons.
        var notCancelled: [String: String] = [:]
    }

    // MARK: Without credentials

    /// The venue's clock, to the second.
    func time() async throws(ClobFailure) -> Timestamp {
        let response = try await self.send(RESTRequest(url: "\(self.baseURL)/time", timeout: Self.timeout))
        guard let seconds = Int64(String(decoding: response.body, as: UTF8.self).filter { !$0.isWhitespace }),
            (0...Self.secondsMax).contains(seconds),
            abs(seconds - Timestamp.now().microseconds / 1_000_000) <= Self.clockDistanceMax
        else { throw .malformed("/time is no number of seconds, or years away") }
        return Timestamp(seconds: seconds)
    }

    /// The key's credentials: those that exist, else new ones.
    ///
    /// - Returns: them, and the venue's own words for them.
    func makeCredentials(now: Timestamp) async throws(ClobFailure) -> (AccountCredentials, text: [UInt8]) {
        do throws(ClobFailure) {
            return try await self.credentials(.get, "/auth/derive-api-key", now: now)
        } catch {
            guard case .refused = error else { throw error }
            return try await self.credentials(.post, "/auth/api-key", now: now)
        }
    }

    private func credentials(
        _ method: RESTRequest.Method, _ path: String, now: Timestamp
    ) async throws(ClobFailure) -> (AccountCredentials, text: [UInt8]) {
        let seconds = self.seconds(now)
        let claim = ClobAuth(address: self.key.address, timestamp: seconds)
        let response = try await self.send(
            RESTRequest(
                method, url: self.baseURL + path,
                headers: [
                    ("POLY_ADDRESS", "\(self.key.address)"), ("POLY_SIGNATURE", "\(self.key.sign(claim.digest))"),
                    ("POLY_TIMESTAMP", "\(seconds)"), ("POLY_NONCE", "\(claim.nonce)"),
                ], timeout: Self.timeout))
        guard let credentials = response.body.withUnsafeBufferPointer({ AccountCredentials($0) }) else {
            throw .malformed("\(path) holds no credentials")
        }
        return (credentials, response.body)
    }

    /// The order format that the venue takes.
    func version() async throws(ClobFailure) -> Int64 {
        let answer = try await self.read("/version")
        guard let version = answer["version"]?.integer else { throw .malformed("/version has no number") }
        return version
    }

    /// Some market that is traded now, and a token of it.
    func anyMarket() async throws(ClobFailure) -> (condition: ConditionID, token: TokenID) {
        let answer = try await self.read("/sampling-simplified-markets")
        for market in answer["data"]?.array ?? [] {
            // One that is told oddly is not to keep an account from trading in others.
            guard let condition = market["condition_id"]?.string.flatMap({ ConditionID($0) }),
                let token = market["tokens"]?.array?.first?["token_id"]?.string.flatMap({ TokenID($0) })
            else { continue }
            return (condition, token)
        }
        throw .malformed("/sampling-simplified-markets names no market with a token")
    }

    /// What orders must obey in a market: its tick, and its taker fee in millionths.
    func terms(of market: ConditionID) async throws(ClobFailure) -> (tick: TickSize, feeRate: Int64) {
        let answer = try await self.read("/clob-markets/\(market)")
        guard let tick = answer["mts"]?.micros.flatMap({ TickSize(micros: $0) }) else {
            throw .malformed("/clob-markets has no tick that is known")
        }
        let rate = answer["fd"]?["r"]
        guard rate == nil || rate?.micros != nil else { throw .malformed("/clob-markets has a fee that is none") }
        return (tick, rate?.micros ?? 0)
    }

    /// Reads a public page.
    private func read(_ path: String) async throws(ClobFailure) -> JSONValue {
        let response = try await self.send(RESTRequest(url: self.baseURL + path, timeout: Self.timeout))
        do { return try JSONValue(parsing: response.body) } catch { throw .malformed("\(path): \(error)") }
    }

    /// Whether orders may be placed from here, and where the venue believes that is.
    func region(_ url: String) async throws(ClobFailure) -> (isBlocked: Bool, country: String) {
        let response = try await self.send(RESTRequest(url: url, timeout: Self.timeout))
        guard let answer = try? JSONValue(parsing: response.body), let isBlocked = answer["blocked"]?.bool else {
            throw .malformed("\(url) does not say whether this place is blocked")
        }
        return (isBlocked, (answer["country"]?.string ?? "unknown").shortened(toByteCount: 40))
    }

    // MARK: With credentials

    /// Whether the account may only sell.
    func isClosedOnly(_ credentials: AccountCredentials, now: Timestamp) async throws(ClobFailure) -> Bool {
        let answer = try await self.ask(.get, "/auth/ban-status/closed-only", credentials, now: now)
        guard let isClosedOnly = answer["closed_only"]?.bool else {
            throw .malformed("/auth/ban-status/closed-only says neither yes nor no")
        }
        return isClosedOnly
    }

    /// pUSD of the account's wallet, and how much of it each exchange may move.
    func funds(
        _ credentials: AccountCredentials, signatureType: Int, now: Timestamp
    ) async throws(ClobFailure) -> (balance: Money, allowances: [Address: Money]) {
        let answer = try await self.ask(
            .get, "/balance-allowance", query: "asset_type=COLLATERAL&signature_type=\(signatureType)", credentials,
            now: now)
        guard let balance = answer["balance"]?.string.flatMap({ Self.balance($0) }) else {
            throw .malformed("/balance-allowance has no balance")
        }
        return (balance, try Self.allowances(answer))
    }

    /// Which contracts may move the shares in the account's wallet: all tokens of outcomes have one contract, and its approval is
    /// of all of them.
    ///
    /// - Parameter token: one that the venue knows.
    func shareMovers(
        _ credentials: AccountCredentials, token: TokenID, signatureType: Int, now: Timestamp
    ) async throws(ClobFailure) -> Set<Address> {
        let answer = try await self.ask(
            .get, "/balance-allowance",
            query: "asset_type=CONDITIONAL&token_id=\(token)&signature_type=\(signatureType)", credentials, now: now)
        return Set(try Self.allowances(answer).filter { $0.value > .zero }.keys)
    }

    private static func allowances(_ answer: JSONValue) throws(ClobFailure) -> [Address: Money] {
        guard let named = answer["allowances"]?.object else { throw .malformed("/balance-allowance has no allowances") }
        var allowances: [Address: Money] = [:]
        for (name, value) in named {
            if let spender = Address(name), let text = value.string { allowances[spender] = Self.units(text) }
        }
        return allowances
    }

    /// Shares of a token in the account's wallet.
    func shares(
        of token: TokenID, _ credentials: AccountCredentials, signatureType: Int, now: Timestamp
    ) async throws(ClobFailure) -> Quantity {
        let answer = try await self.ask(
            .get, "/balance-allowance",
            query: "asset_type=CONDITIONAL&token_id=\(token)&signature_type=\(signatureType)", credentials, now: now)
        guard let balance = answer["balance"]?.string.flatMap({ Self.balance($0) }) else {
            throw .malformed("/balance-allowance has no balance")
        }
        return Quantity(micros: balance.micros)
    }

    /// Millionths as text, of what an account can have.
    private static func balance(_ text: String) -> Money? {
        guard let money = Self.units(text), money.micros <= Decimal6.valueMax else { return nil }
        return money
    }

    /// Millionths as text. Unlimited allowances have 78 digits: whatever is too large for a sum of money is the largest.
    private static func units(_ text: String) -> Money? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Money(micros: Int64(text) ?? .max)
    }

    /// A sign of life: from the first on the venue cancels all orders of these credentials ten seconds after the last.
    func beat(_ credentials: AccountCredentials, now: Timestamp) async throws(ClobFailure) {
        do throws(ClobFailure) { try await self.beat(after: "", credentials, now: now) } catch {
            guard case .staleHeartbeat(let last) = error else { throw error }
            try await self.beat(after: last, credentials, now: now)
        }
    }

    /// A sign of life after the one of that name.
    ///
    /// - Returns: the name of this one.
    @discardableResult
    func beat(
        after last: String, _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> String {
        var writer = JSONWriter()
        writer.object {
            $0.key("heartbeat_id")
            $0.string(last)
        }
        let answer = try await self.ask(
            .post, "/v1/heartbeats", body: writer.bytes, within: Self.beatTimeout, credentials, now: now)
        guard let name = answer["heartbeat_id"]?.string else { throw .malformed("/v1/heartbeats names no heartbeat") }
        return name
    }

    /// Cancels everything that rests for any wallet of the key.
    func cancelAll(_ credentials: AccountCredentials, now: Timestamp) async throws(ClobFailure) -> Cancellation {
        Self.cancellation(try await self.ask(.delete, "/cancel-all", credentials, now: now))
    }

    /// Everything that rests, page by page.
    ///
    /// - Returns: it, and how many rows could not be read: each of them may be an order that rests.
    func openOrders(
        _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> (orders: [VenueOrder], unreadCount: Int) {
        var orders: [VenueOrder] = []
        var unreadCount = 0
        try await self.pages("/data/orders", "", credentials, now: now) { (row) throws(ClobFailure) in
            // A row that cannot be read must not hide the others.
            if let order = VenueOrder(row) { orders.append(order) } else { unreadCount += 1 }
        }
        return (orders, unreadCount)
    }

    /// Reads a list to its end.
    func pages(
        _ path: String, _ query: String, _ credentials: AccountCredentials, now: Timestamp,
        _ take: (JSONValue) throws(ClobFailure) -> Void
    ) async throws(ClobFailure) {
        var cursor = Self.firstCursor
        for _ in 0..<Self.pageCountMax {
            let page = try await self.ask(.get, path, query: "\(query)next_cursor=\(cursor)", credentials, now: now)
            guard let rows = page["data"]?.array, let next = page["next_cursor"]?.string else {
                throw .malformed("\(path) is no page")
            }
            for row in rows { try take(row) }
            if next == Self.lastCursor { return }
            guard next != cursor, next.utf8.allSatisfy(Self.cursorBytes.contains) else {
                throw .malformed("\(path) does not go on")
            }
            cursor = next
        }
        throw .malformed("\(path) has more than \(Self.pageCountMax) pages")
    }

    static func cancellation(_ answer: JSONValue) -> Cancellation {
        Cancellation(
            cancelled: (answer["canceled"]?.array ?? []).compactMap(\.string),
            notCancelled: (answer["not_canceled"]?.object ?? [:]).mapValues { $0.string ?? "" })
    }

    func ask(
        _ method: RESTRequest.Method, _ path: String, query: String? = nil, body: [UInt8] = [],
        within timeout: Duration = ClobClient.timeout, _ credentials: AccountCredentials, now: Timestamp
    ) async throws(ClobFailure) -> JSONValue {
        let seconds = self.seconds(now)
        let response = try await self.send(
            RESTRequest(
                method, url: self.baseURL + path + (query.map { "?\($0)" } ?? ""),
                headers: [
                    ("POLY_ADDRESS", "\(self.key.address)"), ("POLY_API_KEY", credentials.key),
                    ("POLY_PASSPHRASE", credentials.passphrase), ("POLY_TIMESTAMP", "\(seconds)"),
                    (
                        "POLY_SIGNATURE",
                        credentials.secret.sign(timestamp: seconds, method: method.rawValue, path: path, body: body)
                    ),
                ], body: body, timeout: timeout))
        do { return try JSONValue(parsing: response.body) } catch { throw .malformed("\(path): \(error)") }
    }

    private func seconds(_ now: Timestamp) -> Int64 { (now + self.clockOffset).microseconds / 1_000_000 }

    private func send(_ request: RESTRequest) async throws(ClobFailure) -> RESTResponse {
        let response: RESTResponse
        do { response = try await self.client.request(request) } catch { throw .transport(error) }
        guard response.isSuccess else { throw ClobFailure(response) }
        return response
    }
}
