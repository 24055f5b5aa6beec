import Shared

/// Contracts that hold an owner's funds. Where one stands follows from the owner's address alone, whether or not it was ever
/// put there (CREATE2). Polygon's. Source: reference, 0.3 and 4.4.
public enum WalletContract: CaseIterable, Hashable, Sendable {
    /// Of accounts that log in by e-mail: signature type 1.
    case proxy
    /// Of accounts that log in by a browser's wallet: signature type 2.
    case safe
    /// Of accounts made since 2026-06-29: signature type 3.
    case depositWallet
    /// Of accounts made between 2026-05-04 and 2026-06-29: signature type 3.
    case depositWalletUUPS

    public func address(ownedBy owner: Address) -> Address {
        switch self {
        case .proxy:
            Self.address(
                factory: Self.proxyFactory, salt: Self.hash { $0.absorb(owner) },
                initCodeHash: Self.proxyInitCodeHash)
        case .safe:
            Self.address(
                factory: Self.safeFactory, salt: Self.hash { $0.absorb(owner.word) },
                initCodeHash: Self.safeInitCodeHash)
        case .depositWallet:
            Self.depositWallet(of: owner) { keccak in
                keccak.absorb(hex: "6100923d8160233d3973")
                keccak.absorb(Self.depositWalletBeacon)
                keccak.absorb(hex: "60195155f3363d3d373d3d363d602036600436635c60da")
                keccak.absorb(hex: "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c")
                keccak.absorb(hex: "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3")
            }
        case .depositWalletUUPS:
            Self.depositWallet(of: owner) { keccak in
                keccak.absorb(hex: "61007d3d8160233d3973")
                keccak.absorb(Self.depositWalletImplementation)
                keccak.absorb(hex: "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076")
                keccak.absorb(hex: "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3")
            }
        }
    }

    private static let proxyFactory = Address(known: "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052")
    private static let proxyImplementation = Address(known: "0x44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f")
    private static let safeFactory = Address(known: "0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b")
    private static let safeInitCodeHash = Bytes32(
        words: (0x2BCE_2127_FF07_FB63, 0x2D16_C834_7C4E_BF50, 0x1F48_4116_8BED_00D9, 0xE6EF_715D_DB6F_CECF))
    private static let depositWalletFactory = Address(known: "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07")
    private static let depositWalletImplementation = Address(known: "0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB")
    private static let depositWalletBeacon = Address(known: "0x7A18EDfe055488A3128f01F563e5B479D92ffc3a")

    private static let proxyInitCodeHash = Self.hash { keccak in
        keccak.absorb(hex: "3d3d606380380380913d393d73")
        keccak.absorb(Self.proxyFactory)
        keccak.absorb(hex: "5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
        keccak.absorb(Self.proxyImplementation)
        keccak.absorb(hex: "5af43d82803e903d91602b57fd5bf352e831dd")
        keccak.absorb(Bytes32(0x20))
        keccak.absorb(Bytes32.zero)
    }

    /// The code that makes the wallet ends with its arguments, whose hash is the salt. The number after its first byte is the
    /// length of what stays of it, arguments included: 64 bytes more than without.
    private static func depositWallet(of owner: Address, code: (inout Keccak256) -> Void) -> Address {
        Self.address(
            factory: Self.depositWalletFactory,
            salt: Self.hash {
                $0.absorb(Self.depositWalletFactory.word)
                $0.absorb(owner.word)
            },
            initCodeHash: Self.hash {
                code(&$0)
                $0.absorb(Self.depositWalletFactory.word)
                $0.absorb(owner.word)
            })
    }

    /// Source: EIP-1014.
    private static func address(factory: Address, salt: Bytes32, initCodeHash: Bytes32) -> Address {
        Address(
            lastBytesOf: Self.hash {
                $0.absorb(0xFF as UInt8)
                $0.absorb(factory)
                $0.absorb(salt)
                $0.absorb(initCodeHash)
            })
    }

    private static func hash(_ absorb: (inout Keccak256) -> Void) -> Bytes32 {
        var keccak = Keccak256()
        absorb(&keccak)
        return keccak.digest()
    }
}

extension Keccak256 {
    /// Takes in bytes that stand in the program as hex digits.
    fileprivate mutating func absorb(hex: StaticString) {
        precondition(hex.utf8CodeUnitCount.isMultiple(of: 2), "half a byte")
        for index in stride(from: 0, to: hex.utf8CodeUnitCount, by: 2) {
            guard let byte = Hex.byte(hex.utf8Start + index) else { preconditionFailure("not hex: \(hex)") }
            self.absorb(byte)
        }
    }
}
