import Shared
import Testing

@testable import Signing

/// Orders and log-ins as the venue's own clients sign them.
@Suite(.enabled(if: Vectors.areHere, Vectors.skipped)) struct OrderVectorTests {
    @Test(arguments: [("orders_v2", 78), ("market_orders", 34)])
    func ordersAreSignedAsTheClientsSignThem(file: String, count: Int) throws {
        let vectors = try #require(try Vectors.read(file).array)
        #expect(vectors.count == count)
        var random = SeededRandom(seed: 4)
        for vector in vectors {
            let input = try #require(vector["input"])
            let key = try input.key("private_key")
            let (order, text) = try Self.order(vector)
            let exchange: Exchange = try input.flag("neg_risk") ? .negRiskExchangeV2 : .exchangeV2
            let domain = ExchangeDomain.of(
                try input.unsigned("protocol") == 3 ? .exchangeV3 : exchange, on: try input.chain("chain_id"))
            // The number 0 is a token in one of the vectors; to the clients' rule it looks like a position.
            if try input.text("asset_id") != "0" {
                let isNegRisk = try input.flag("neg_risk")
                #expect(ExchangeDomain.of(order.token, isNegRisk: isNegRisk, on: domain.chain) == domain)
            }
            #expect(domain.verifyingContract.description == (try vector.text("exchange")))
            #expect(domain.separator == (try vector.bytes32("domain_separator")))
            #expect(order.structHash == (try vector.bytes32("order_struct_hash")))
            if let type3 = vector["type3"] {
                let digest = order.nestedDigest(contents: order.structHash, in: domain)
                #expect(digest == (try type3.bytes32("signing_digest")))
            }
            let (hash, signature) = order.sign(with: key, in: domain)
            #expect(hash == (try vector.bytes32("order_hash")))
            #expect(signature.description == text)
            #expect(try vector.text("signature") == text)
            let read = try #require(OrderSignature(text))
            #expect(order.owner(by: read, in: domain) == key.address)
            // Bits of the signature proper; those of the rest are tested once, beside this.
            for _ in 0..<5 {
                let bit = Int.random(in: 0..<520, using: &random)
                let wrong = try #require(OrderSignature(try altered(text, bit: bit)))
                #expect(order.owner(by: wrong, in: domain) != key.address, "bit \(bit) of \(text)")
            }
        }
    }

    /// As it stands in the body of `POST /order`, with its signature's text.
    private static func order(_ vector: JSONValue) throws -> (OrderMessage, signature: String) {
        let order = try #require(try JSONValue(parsing: Array(try vector.text("body_json").utf8))["order"])
        let type = try #require(UInt8(exactly: try order.unsigned("signatureType")))
        let message = OrderMessage(
            salt: try order.unsigned("salt"), maker: try order.address("maker"), signer: try order.address("signer"),
            token: try #require(TokenID(try order.text("tokenId"))), makerAmount: try order.unsigned("makerAmount"),
            takerAmount: try order.unsigned("takerAmount"), side: try order.text("side") == "BUY" ? .buy : .sell,
            signatureType: try #require(SignatureType(rawValue: type)), timestamp: try order.unsigned("timestamp"),
            metadata: try order.bytes32("metadata"), builder: try order.bytes32("builder"))
        return (message, try order.text("signature"))
    }

    @Test(arguments: ["orders_v2", "market_orders"])
    func theirRequestsAreSignedAsTheClientsSignThem(file: String) throws {
        let contents = try Vectors.file(file)
        let credentials = try #require(contents["api_creds"])
        let secret = try #require(APISecret(try credentials.text("api_secret")))
        for vector in try #require(contents["vectors"]?.array) {
            let headers = try #require(vector["l2_headers"])
            let time = try #require(headers["POLY_TIMESTAMP"]?.integer)
            #expect(
                secret.verify(
                    try headers.text("POLY_SIGNATURE"), timestamp: time, method: "POST", path: "/order",
                    body: try vector.text("body_json").utf8))
        }
    }

    @Test func domainsAndTypesAreThoseOfTheClients() throws {
        let constants = try Vectors.read("eip712_constants")
        #expect(constants["order_v2_type_string_length"]?.integer == Int64(OrderMessage.typeText.utf8CodeUnitCount))
        for type in try #require(constants["type_hashes"]?.array) {
            #expect(Keccak256.hash(try type.text("type").utf8) == (try type.bytes32("type_hash")))
        }
        for text in try #require(constants["text_hashes"]?.array) {
            #expect(Keccak256.hash(try text.text("text").utf8) == (try text.bytes32("keccak256")))
        }
        let labels: [String: Exchange] = [
            "exchange_v2": .exchangeV2, "neg_risk_exchange_v2": .negRiskExchangeV2, "exchange_v3": .exchangeV3,
        ]
        var seen: Set<ExchangeDomain> = []
        for vector in try #require(constants["exchange_domains"]?.array) {
            guard let exchange = labels[try vector.text("label")] else { continue }
            let domain = ExchangeDomain.of(exchange, on: try vector.chain("chain_id"))
            #expect(domain.verifyingContract.description == (try vector.text("verifying_contract")))
            #expect(domain.separator == (try vector.bytes32("domain_separator")))
            seen.insert(domain)
        }
        #expect(seen.count == 6)
    }

    @Test func positionIDsAreTakenApart() throws {
        for vector in try #require(try Vectors.read("position_ids").array) {
            let position = PositionID(try #require(TokenID(try vector.text("asset_id"))))
            #expect((position != nil) == (try vector.flag("is_position_id")))
            guard let position else { continue }
            #expect(position.condition.description == (try vector.text("condition_id_31_bytes")) + "00")
            #expect(Int64(position.outcome) == vector["outcome_index"]?.integer)
        }
    }

    @Test func logInsAreSignedAsTheClientsSignThem() throws {
        let vectors = try #require(try Vectors.read("clob_auth").array)
        #expect(vectors.count >= 5)
        for vector in vectors {
            let key = try vector.key("private_key")
            let chain = try vector.chain("chain_id")
            let auth = ClobAuth(
                address: key.address, timestamp: try #require(vector["timestamp"]?.integer),
                nonce: try vector.unsigned("nonce"), chain: chain)
            #expect(ClobAuth.separator(on: chain) == (try vector.bytes32("domain_separator")))
            #expect(auth.structHash == (try vector.bytes32("struct_hash")))
            #expect(auth.digest == (try vector.bytes32("digest")))
            let text = try #require(vector["headers"]).text("POLY_SIGNATURE")
            #expect(key.sign(auth.digest).description == text)
            #expect(try #require(Signature(text)).signer(of: auth.digest) == key.address)
            for bit in stride(from: 0, to: 520, by: 37) {
                let wrong = try #require(Signature(try altered(text, bit: bit)))
                #expect(wrong.signer(of: auth.digest) != key.address, "bit \(bit) of \(text)")
            }
        }
    }

    @Test func requestsAreSignedAsTheClientsSignThem() throws {
        let vectors = try #require(try Vectors.read("hmac").array)
        #expect(vectors.count == 16)
        for vector in vectors {
            let secret = try #require(APISecret(try vector.text("secret")))
            let time = try #require(vector["timestamp"]?.integer)
            let (method, path) = (try vector.text("method"), try vector.text("path"))
            let body = Array((vector["body"]?.string ?? "").utf8)
            let signature = try vector.text("signature")
            #expect(secret.sign(timestamp: time, method: method, path: path, body: body) == signature)
            #expect(secret.verify(signature, timestamp: time, method: method, path: path, body: body))
        }
    }
}
