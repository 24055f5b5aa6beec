import CSecp256k1

/// The curve secp256k1, as libsecp256k1 knows it.
enum Curve {
    /// Half the curve's order, rounded down. Of a signature's two possible `s`, the lower is not above.
    static let lowerHalf = Bytes32(
        words: (0x7FFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0x5D57_6E73_57A4_501D, 0xDFE9_2F46_681B_20A0))

    /// One for the process: it costs a millisecond to make, and nothing changes it later, so all threads may use it.
    nonisolated(unsafe) private static let context: OpaquePointer = {
        guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
            preconditionFailure("libsecp256k1 made no context")
        }
        // Blinds the multiplications with the key against whoever measures them. Signatures stay the same.
        var random = SystemRandomNumberGenerator()
        let seed = Bytes32(words: (random.next(), random.next(), random.next(), random.next()))
        precondition(seed.withBytes { secp256k1_context_randomize(context, $0) } == 1, "libsecp256k1 took no seed")
        return context
    }()

    /// `nil` for a key outside the curve's range. `key` has 32 bytes.
    static func address(ofKey key: UnsafePointer<UInt8>) -> Address? {
        var point = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_create(Self.context, &point, key) == 1 else { return nil }
        return Self.address(of: point)
    }

    /// `key` has 32 bytes and is in range.
    static func sign(_ digest: Bytes32, key: UnsafePointer<UInt8>) -> Signature {
        var made = secp256k1_ecdsa_recoverable_signature()
        let isMade = digest.withBytes { secp256k1_ecdsa_sign_recoverable(Self.context, &made, $0, key, nil, nil) }
        precondition(isMade == 1, "a checked key did not sign")
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { bytes in
            let start = bytes.baseAddress.unsafelyUnwrapped
            var recovery: Int32 = 0
            _ = secp256k1_ecdsa_recoverable_signature_serialize_compact(Self.context, start, &recovery, &made)
            // 2 and 3 stand for an `r` over the order: no digest that makes one can be found.
            precondition(recovery == 0 || recovery == 1, "a signature without a place in the chain's format")
            return Signature(
                r: Bytes32(copying: start), s: Bytes32(copying: start + 32), v: UInt8(Signature.lowestV + recovery))
        }
    }

    /// Who signed `digest`. `recovery` is 0 or 1. `nil` where nobody can have.
    static func recover(_ digest: Bytes32, r: Bytes32, s: Bytes32, recovery: Int32) -> Address? {
        var signature = secp256k1_ecdsa_recoverable_signature()
        let isInRange = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { bytes in
            let start = bytes.baseAddress.unsafelyUnwrapped
            r.withBytes { start.update(from: $0, count: 32) }
            s.withBytes { (start + 32).update(from: $0, count: 32) }
            return secp256k1_ecdsa_recoverable_signature_parse_compact(Self.context, &signature, start, recovery)
        }
        var point = secp256k1_pubkey()
        guard isInRange == 1,
            digest.withBytes({ secp256k1_ecdsa_recover(Self.context, &point, &signature, $0) }) == 1
        else { return nil }
        return Self.address(of: point)
    }

    /// The last 20 bytes of the hash of the point's two coordinates.
    private static func address(of point: secp256k1_pubkey) -> Address {
        var point = point
        // A mark of one byte comes first.
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 65) { bytes in
            var count = bytes.count
            _ = secp256k1_ec_pubkey_serialize(
                Self.context, bytes.baseAddress.unsafelyUnwrapped, &count, &point, UInt32(SECP256K1_EC_UNCOMPRESSED))
            var keccak = Keccak256()
            keccak.absorb(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[1...]))
            return Address(lastBytesOf: keccak.digest())
        }
    }
}
