private import CZeroMQ

/// A CURVE identity (https://rfc.zeromq.org/spec/26/): what a peer shows, and what proves that it is its own.
package struct CurveKeyPair: Equatable, Sendable {
    package let publicKey: CurvePublicKey
    package let secretKey: CurveSecretKey

    /// A new pair, from the kernel's randomness. Throws when libzmq was built without CURVE.
    package static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        var secretText = publicText
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw Socket.lastError("CURVE key pair") }
        return try CurveKeyPair(secretKey: CurveSecretKey(Z85.string(secretText)))
    }

    /// The public key follows from the secret one, so that only the secret one has to be kept.
    package init(secretKey: CurveSecretKey) throws(ZeroMQError) {
        var text = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        guard zmq_curve_public(&text, secretKey.text) == 0 else { throw Socket.lastError("CURVE public key") }
        publicKey = try CurvePublicKey(Z85.string(text))
        self.secretKey = secretKey
    }
}

extension CurveKeyPair: CustomStringConvertible {
    package var description: String { "\(publicKey), secret key \(secretKey)" }
}
