import Shared
import Testing

@testable import Signing

@Suite struct OrderMessageTests {
    /// A sale on the test chain, signed by the key 1.
    static func sale() throws -> OrderMessage {
        let owner = try PrivateKey.test(1).address
        return OrderMessage(
            salt: 1_389_226_431_638, maker: owner, signer: owner,
            token: try #require(
                TokenID("21086676564436881976294289390746133733955098524339510969589787055832828966401")),
            makerAmount: 827_830_000, takerAmount: 496_698_000, side: .sell, signatureType: .eoa,
            timestamp: 1_790_082_159_734,
            builder: try #require(Bytes32("0x36111da7ddfd1e91130b23605a73a8d7de1b4f0043e67ff19ddbe0ea6e8a0ceb")))
    }

    /// A sale of a deposit wallet, and its owner's key.
    static func walletSale() throws -> (order: OrderMessage, key: PrivateKey) {
        let key = try PrivateKey(text: "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
        let wallet = WalletContract.depositWallet.address(ownedBy: key.address)
        let order = OrderMessage(
            salt: 445_672_185_936_503, maker: wallet, signer: wallet,
            token: try #require(
                TokenID("66039112676986278009805296481734521713883245615933106296464982081309964980725")),
            makerAmount: 3_777_000_000, takerAmount: 11_331_000, side: .sell, signatureType: .poly1271,
            timestamp: 1_796_601_399_973)
        return (order, key)
    }

    @Test func aKnownOrderHasItsHashAndSignature() throws {
        let order = try Self.sale()
        let domain = ExchangeDomain.of(order.token, isNegRisk: true, on: .amoy)
        let (hash, signature) = order.sign(with: try .test(1), in: domain)
        #expect(
            order.structHash.description == "0xfafc8cf520e72e518906493d73f5448d71a884e3a620de146bdd281d19e6441d")
        #expect(hash.description == SignatureTests.digest)
        #expect(order.digest(in: domain) == hash)
        #expect(signature.description == SignatureTests.text)
        #expect(order.owner(by: signature, in: domain) == order.signer)
    }

    @Test func aKnownOrderOfADepositWalletHasItsNestedSignature() throws {
        let (order, key) = try Self.walletSale()
        let domain = ExchangeDomain.of(.negRiskExchangeV2)
        let (hash, signature) = order.sign(with: key, in: domain)
        #expect(hash.description == "0x16363aeda2dcc92c23bd33f01da038bc12cee05f9a14b674225bcf365049ba5d")
        #expect(
            order.nestedDigest(contents: order.structHash, in: domain).description
                == "0x0fba715b1c313e099680bc23d4e27f1a484fe462236d47e04cf20c70f433596a")
        let text = signature.description
        #expect(text.utf8.count == 2 + 2 * 317)
        #expect(
            text.hasPrefix(
                "0xe03b95fdccc6291b0a3c401b605f6debf64dc54addc655e5b49ca0ffb26b3cee"
                    + "5e771b6be067f5de0556f70007d5005d5d360023aba0ba5b9cd9173266385b8b1b"
                    + "9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a"
                    + "05798cdc049e69138dfe96f3aa8c19b070e2f09eadf707eca336e93b153c98f2"))
        #expect(text.hasSuffix("206275696c6465722900ba"))
        #expect(OrderSignature(text) == signature)
        #expect(OrderSignature(text.uppercased()) == signature)
        #expect(order.owner(by: signature, in: domain) == key.address)
    }

    @Test func everyAlteredBitOfANestedSignatureMakesItAnothersOrNobodys() throws {
        let (order, key) = try Self.walletSale()
        let domain = ExchangeDomain.of(.negRiskExchangeV2)
        let text = order.sign(with: key, in: domain).signature.description
        for bit in 0..<317 * 8 {
            // Every bit of what is not the signature itself is looked at without the curve; of the signature, every third.
            guard bit >= 65 * 8 || bit.isMultiple(of: 3) else { continue }
            let wrong = OrderSignature(try altered(text, bit: bit))
            let owner = wrong.flatMap { order.owner(by: $0, in: domain) }
            #expect(owner != key.address, "bit \(bit)")
            if bit >= 65 * 8 { #expect(owner == nil, "bit \(bit)") }
        }
        for length in [0, 1, 2, 64, 130, 131, 132, 133, 200, 634, 635] {
            // At 132 characters it is a plain one.
            #expect((OrderSignature(text.prefix(length)) == nil) == (length != 132))
        }
        #expect(OrderSignature(text + "00") == nil)
    }

    @Test func theFormOfASignatureBelongsToItsType() throws {
        let (order, key) = try Self.walletSale()
        let domain = ExchangeDomain.of(.negRiskExchangeV2)
        let nested = order.sign(with: key, in: domain).signature
        #expect(order.owner(by: .plain(key.sign(order.digest(in: domain))), in: domain) == nil)
        for type in SignatureType.allCases where type != .poly1271 {
            var other = order
            other.signatureType = type
            #expect(other.owner(by: nested, in: domain) == nil)
        }
    }

    @Test func aSignatureHoldsInOneDomainOnly() throws {
        for order in [try Self.sale(), try Self.walletSale().order] {
            let key = try PrivateKey.test(5)
            let chains: [Chain] = [.polygon, .amoy]
            let domains = Exchange.allCases.flatMap { exchange in chains.map { ExchangeDomain.of(exchange, on: $0) } }
            #expect(Set(domains.map(\.separator)).count == 6)
            for signed in domains {
                let signature = order.sign(with: key, in: signed).signature
                for other in domains {
                    #expect((order.owner(by: signature, in: other) == key.address) == (other == signed))
                }
            }
        }
    }

    /// The order's type is hashed too: a field that is forgotten would let others alter it.
    @Test func everyFieldIsSigned() throws {
        let order = try Self.sale()
        var others = [OrderMessage](repeating: order, count: 12)
        others[0].salt += 1
        others[1].maker = .zero
        others[2].signer = .zero
        others[3].token = TokenID(words: (0, 0, 0, 1))
        others[4].makerAmount += 1
        others[5].takerAmount += 1
        others[6].side = .buy
        others[7].signatureType = .polyProxy
        others[8].timestamp += 1
        others[9].metadata = Bytes32(words: (0, 0, 0, 1))
        others[10].builder = .zero
        #expect(Set(others.map(\.structHash)).count == 12)
        let domain = ExchangeDomain.of(.exchangeV2)
        let signature = order.sign(with: try .test(1), in: domain).signature
        for other in others[..<11] { #expect(other.owner(by: signature, in: domain) != order.signer) }
        #expect(others[11].owner(by: signature, in: domain) == order.signer)
    }

    @Test func aPositionIDIsSettledByTheThirdExchange() throws {
        let position = try #require(
            TokenID("1332601340421827065410151070419895210578084236558444166053785675000480530432"))
        let token = try Self.sale().token
        for isNegRisk in [false, true] {
            #expect(ExchangeDomain.of(position, isNegRisk: isNegRisk).exchange == .exchangeV3)
            #expect(
                ExchangeDomain.of(token, isNegRisk: isNegRisk).exchange
                    == (isNegRisk ? .negRiskExchangeV2 : .exchangeV2))
        }
        let read = try #require(PositionID(position))
        #expect(read.module == 2 && read.outcome == 0)
    }
}
