/// A CURVE public key: by it a server knows its clients, and a client its server. No secret.
package struct CurvePublicKey: Hashable, Sendable {
    /// Z85: 40 characters.
    package let text: String

    /// Throws when the text is no key, saying what is wrong with it.
    package init(_ text: String) throws(ZeroMQError) {
        try Z85.checkKey(text, named: "CURVE public key")
        self.text = text
    }

    /// Nil unless it is 32 bytes: that is how ZAP brings a client's key.
    init?(bytes: [UInt8]) {
        guard let text = Z85.encodeKey(bytes) else { return nil }
        self.text = text
    }
}

extension CurvePublicKey: CustomStringConvertible {
    package var description: String { text }
}
