import Shared
import Signing

/// Who asks. Source: reference, 2.2, 4.1 and 4.2.
extension Desk {
    static let invalidSigner = Answer.error(401, "Invalid L1 Request headers")
    static let invalidKey = Answer.error(401, "Unauthorized/Invalid api key")

    mutating func unauthorized() -> Answer {
        self.audit.unauthorizedCount += 1
        return Self.invalidKey
    }

    /// A time of the request, in Unix seconds, if it is near enough to the venue's own.
    private func timely(_ text: String?, at time: Timestamp) -> Int64? {
        // What is signed is the number's shortest text.
        guard let text, text.utf8.count <= 12, let seconds = Int64(text), seconds >= 0, String(seconds) == text else {
            return nil
        }
        let difference = Timestamp(seconds: seconds) - (time + self.clockSkew)
        let window = .zero - Self.timestampWindow...Self.timestampWindow
        return window.contains(difference) ? seconds : nil
    }

    /// The address whose own signature the request bears.
    private func signer(of request: PageRequest, at time: Timestamp) -> (address: Address, nonce: UInt64)? {
        guard let address = request.header("POLY_ADDRESS").flatMap({ Address($0) }),
            let seconds = self.timely(request.header("POLY_TIMESTAMP"), at: time),
            let nonceText = request.header("POLY_NONCE"), let nonce = UInt64(nonceText), String(nonce) == nonceText,
            let signature = request.header("POLY_SIGNATURE"),
            Signatures.isClaim(to: address, timestamp: seconds, nonce: nonce, signature, on: self.settings.chain)
        else { return nil }
        return (address, nonce)
    }

    /// The key that the request bears the mark of. The path is signed as it was sent, without its query.
    func key(of request: PageRequest, _ kind: APIKey.Kind, at time: Timestamp) -> APIKey? {
        let prefix = kind == .builder ? "POLY_BUILDER_" : "POLY_"
        guard let key = request.header(prefix + "API_KEY").flatMap({ self.keys[$0] }),
            (key.kind == .builder) == (kind == .builder), request.header(prefix + "PASSPHRASE") == key.passphrase,
            let seconds = self.timely(request.header(prefix + "TIMESTAMP"), at: time),
            let signature = request.header(prefix + "SIGNATURE"),
            kind == .builder || request.header("POLY_ADDRESS").flatMap({ Address($0) }) == key.signer,
            let secret = APISecret(key.secret),
            secret.verify(
                signature, timestamp: seconds, method: request.method, path: request.rawPath, body: request.body)
        else { return nil }
        return key
    }

    // MARK: By the signer's own key

    mutating func answerSigner(
        _ route: DeskRoute, _ request: PageRequest, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        guard let (signer, nonce) = self.signer(of: request, at: time) else {
            self.audit.unauthorizedCount += 1
            return Self.invalidSigner
        }
        if route == .deriveKey {
            guard let key = self.keys.key(of: signer, nonce: nonce) else {
                return .error(400, "Could not derive api key!")
            }
            return Self.answer(key)
        }
        guard self.account(at: signer, of: signer, at: time, engine: &engine) != nil,
            let key = self.keys.create(for: signer, nonce: nonce, at: time)
        else { return .error(400, "Could not create api key") }
        return Self.answer(key)
    }

    private static func answer(_ key: APIKey) -> Answer {
        .json {
            $0.object {
                $0.key(dynamic: key.kind == .builder ? "key" : "apiKey")
                $0.string(key.id)
                $0.key("secret")
                $0.string(key.secret)
                $0.key("passphrase")
                $0.string(key.passphrase)
            }
        }
    }

    // MARK: Keys

    mutating func answerKeys(
        _ route: DeskRoute, _ key: APIKey, _ request: PageRequest, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        switch route {
        case .createReadOnlyKey, .createBuilderKey:
            let kind = route == .createBuilderKey ? APIKey.Kind.builder : .readOnly
            guard let made = self.keys.create(kind, for: key.signer, at: time) else {
                return .error(400, "Could not create api key")
            }
            return Self.answer(made)
        case .listReadOnlyKeys:
            let ids = self.liveKeys(of: key.signer, .readOnly).map(\.id)
            return .json { $0.array { for id in ids { $0.string(id) } } }
        case .listBuilderKeys: return Self.answer(self.keys.keys(of: key.signer).filter { $0.kind == .builder })
        case .revokeKey:
            self.keys.revoke(key.id, at: time)
            return .json { $0.string("OK") }
        case .revokeReadOnlyKey:
            let id = (try? JSONValue(parsing: request.body))?["key"]?.string
            guard let id, self.liveKeys(of: key.signer, .readOnly).contains(where: { $0.id == id }) else {
                return .error(400, "Invalid key")
            }
            self.keys.revoke(id, at: time)
            return .json { $0.bool(true) }
        case .closedOnlyStatus:
            let isClosedOnly = self.accounts.accounts(of: key.signer).contains {
                engine.engine.accounts[$0.index].standing == .closedOnly
            }
            return .json {
                $0.object {
                    $0.key("closed_only")
                    $0.bool(isClosedOnly)
                }
            }
        default:
            let ids = self.liveKeys(of: key.signer, .trading).map(\.id)
            return .json {
                $0.object {
                    $0.key("apiKeys")
                    $0.array { for id in ids { $0.string(id) } }
                }
            }
        }
    }

    private func liveKeys(of signer: Address, _ kind: APIKey.Kind) -> [APIKey] {
        self.keys.keys(of: signer).filter { $0.kind == kind && $0.isLive }
    }

    private static func answer(_ keys: [APIKey]) -> Answer {
        .json {
            $0.array { writer in
                for key in keys {
                    writer.object {
                        $0.key("key")
                        $0.string(key.id)
                        $0.key("createdAt")
                        $0.string(key.createdTime.rfc3339)
                        $0.key("revokedAt")
                        if let time = key.revokedTime { $0.string(time.rfc3339) } else { $0.null() }
                    }
                }
            }
        }
    }

    mutating func answerBuilder(_ route: DeskRoute, _ key: APIKey, _ request: PageRequest, at time: Timestamp) -> Answer
    {
        guard route == .revokeBuilderKey else { return PageCursor.answer(request, [Int]()) { _, _ in } }
        self.keys.revoke(key.id, at: time)
        return .json { $0.string("OK") }
    }

    // MARK: Accounts

    /// The account of the funds at `address`, opened with the starting balance and the venue's approvals when it is seen
    /// for the first time.
    ///
    /// - Returns: `nil` when no more are opened.
    mutating func account(
        at address: Address, of signer: Address, at time: Timestamp, engine: inout some EngineAccess
    ) -> AccountID? {
        if let account = self.accounts.account(of: address) { return account }
        guard self.accounts.count < Self.accountCountMax else { return nil }
        var opened: AccountID?
        for case .accountOpened(let account) in engine.handle(.openAccount, at: time).map(\.what) { opened = account }
        guard let account = opened else { return nil }
        if self.settings.startingBalance > .zero {
            _ = engine.handle(.deposit(account, self.settings.startingBalance), at: time)
        }
        for contract in ExchangeContract.allCases {
            _ = engine.handle(.approve(account, contract, .unlimited), at: time)
        }
        self.accounts.add(AccountRegister.Owned(account: account, address: address, signer: signer))
        return account
    }
}
