import Shared
import Signing
import Testing

@Suite struct AddressTests {
    static let text = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

    /// The examples of EIP-55.
    @Test(arguments: [
        "0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", "0x0000000000000000000000000000000000000000", text,
    ])
    func theCaseOfThePrintedLettersIsAChecksum(text: String) throws {
        #expect(try #require(Address(text)).description == text)
        #expect(try #require(Address(text.lowercased())).description == text)
        #expect(try #require(Address("0x" + text.dropFirst(2).uppercased())).description == text)
    }

    /// As the venue does: the case of the letters is not checked.
    @Test func aWrongChecksumIsAccepted() throws {
        #expect(Address("0xF39fd6e51aad88F6F4ce6aB8827279cffFb92266") == Address(Self.text))
    }

    @Test(arguments: [
        "", "0x", String(text.dropFirst(2)), String(text.dropLast()), text + "0",
        "0x" + String(text.dropFirst(2)) + " ",
        String(text.dropLast()) + "g", "x0" + text.dropFirst(2),
    ])
    func anythingElseIsRefused(text: String) { #expect(Address(text) == nil) }

    @Test func theWordHasTheAddressAtItsEnd() throws {
        let address = try #require(Address(Self.text))
        #expect(
            address.word.description == "0x" + String(repeating: "0", count: 24) + Self.text.dropFirst(2).lowercased())
        #expect(Address.zero.word == .zero)
    }

    @Test func addressesAreOrderedAsNumbers() throws {
        let texts = [
            "0x" + String(repeating: "0", count: 39) + "1", "0x00" + String(repeating: "f", count: 38), Self.text,
        ]
        let addresses = try texts.map { try #require(Address($0)) }
        #expect(addresses.reversed().sorted() == addresses)
        #expect(Set(addresses + addresses).count == 3)
    }

    @Test func theWalletsOfAKnownOwnerAreWhereTheyAre() throws {
        let owner = try #require(Address(Self.text))
        #expect(
            WalletContract.proxy.address(ownedBy: owner).description == "0x365f0CA36Ae1f641E02fE3B7743673da42A13A70")
        #expect(WalletContract.safe.address(ownedBy: owner).description == "0xd93B25cb943D14d0d34FBaF01Fc93a0f8b5F6E47")
        #expect(
            WalletContract.depositWallet.address(ownedBy: owner).description
                == "0xBc0fF067b7740Eff76C1ca93c875Ba6B890d6B50")
        #expect(
            WalletContract.depositWalletUUPS.address(ownedBy: owner).description
                == "0xdf8b9E8f9AB23f261F6e1B171B7454ae6E46Ba76")
    }

    @Test(.enabled(if: Vectors.areHere, Vectors.skipped))
    func addressesAreThoseOfTheVectors() throws {
        let vectors = try #require(try Vectors.read("addresses").array)
        #expect(vectors.count >= 5)
        for vector in vectors {
            let owner = try vector.key("private_key").address
            #expect(owner.description == (try vector.text("address")))
            #expect(owner == (try vector.address("address_lowercase")))
            let hash = Keccak256.hash(try bytes(try vector.text("public_key_uncompressed_xy")))
            #expect(owner.word.description.suffix(40) == hash.description.suffix(40))
            #expect(WalletContract.proxy.address(ownedBy: owner) == (try vector.address("derived_proxy_wallet")))
            #expect(WalletContract.safe.address(ownedBy: owner) == (try vector.address("derived_safe_wallet")))
            #expect(
                WalletContract.depositWallet.address(ownedBy: owner)
                    == (try vector.address("derived_deposit_wallet_beacon")))
            #expect(
                WalletContract.depositWalletUUPS.address(ownedBy: owner)
                    == (try vector.address("derived_deposit_wallet_uups")))
        }
    }
}
