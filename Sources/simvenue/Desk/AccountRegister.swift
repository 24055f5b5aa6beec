import Shared
import Signing

/// Which accounts of the engine belong to whom. An account stands for the address that holds the funds: the signer
/// itself, or a wallet of it.
struct AccountRegister: Sendable {
    struct Owned: Hashable, Sendable {
        let account: AccountID
        /// Where the funds are.
        let address: Address
        let signer: Address
    }

    private var accountsByAddress: [Address: AccountID] = [:]
    private var ownedByAccount: [AccountID: Owned] = [:]
    private var accountsBySigner: [Address: [AccountID]] = [:]

    var count: Int { self.ownedByAccount.count }
    /// In the order of opening.
    var all: [Owned] { self.ownedByAccount.values.sorted { $0.account < $1.account } }

    func account(of address: Address) -> AccountID? { self.accountsByAddress[address] }
    func owned(_ account: AccountID) -> Owned? { self.ownedByAccount[account] }
    /// In the order of opening.
    func accounts(of signer: Address) -> [AccountID] { self.accountsBySigner[signer] ?? [] }

    mutating func add(_ owned: Owned) {
        self.accountsByAddress[owned.address] = owned.account
        self.ownedByAccount[owned.account] = owned
        self.accountsBySigner[owned.signer, default: []].append(owned.account)
    }
}
