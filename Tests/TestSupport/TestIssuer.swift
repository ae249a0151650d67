private import CCrypto
private import CJose
import Foundation

/// Somebody who signs tokens, rightly or not.
package final class TestIssuer {
    package let id: String
    private let algorithm: String
    private let web: UnsafeMutablePointer<json_t>?
    /// Of an Ed25519 issuer.
    private let edwards: OpaquePointer?

    /// - Parameter algorithm: RS256, ES256 or EdDSA.
    package init(_ algorithm: String, id: String = UUID().uuidString) {
        self.algorithm = algorithm
        self.id = id
        guard algorithm != "EdDSA" else {
            web = nil
            let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
            edwards = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, secret, secret.count)
            return
        }
        edwards = nil
        web = json_loads(#"{"alg":"\#(algorithm)"}"#, 0, nil)
        precondition(jose_jwk_gen(nil, web))
    }

    /// Whoever has a secret, or takes something for one.
    package init(secret: [UInt8], id: String) {
        self.id = id
        algorithm = "HS256"
        edwards = nil
        web = json_loads(#"{"alg":"HS256","kty":"oct","k":"\#(Self.text(secret))"}"#, 0, nil)
    }

    deinit {
        json_decref(web)
        EVP_PKEY_free(edwards)
    }

    /// Its public key, as a member of a JSON Web Key set.
    package var publicKey: String {
        guard let edwards else {
            let copy = json_deep_copy(web)
            defer { json_decref(copy) }
            precondition(jose_jwk_pub(nil, copy))
            json_object_set_new(copy, "kid", json_string(id))
            let text = json_dumps(copy, 0)!
            defer { free(text) }
            return String(cString: text)
        }
        var point = [UInt8](repeating: 0, count: 32)
        var count = point.count
        EVP_PKEY_get_raw_public_key(edwards, &point, &count)
        return #"{"kty":"OKP","crv":"Ed25519","x":"\#(Self.text(point))","kid":"\#(id)","use":"sig"}"#
    }

    /// The modulus of an RSA key.
    package var modulus: [UInt8] {
        var text = String(cString: json_string_value(json_object_get(web, "n")))
        text = text.replacing("-", with: "+").replacing("_", with: "/")
        return Array(Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))!)
    }

    /// - Parameter head: nil: what the key says.
    package func token(_ payload: String, head: String? = nil) -> String {
        let head = Self.text(Array((head ?? #"{"alg":"\#(algorithm)","kid":"\#(id)"}"#).utf8))
        let body = Self.text(Array(payload.utf8))
        if let edwards {
            let context = EVP_MD_CTX_new()
            defer { EVP_MD_CTX_free(context) }
            var signature = [UInt8](repeating: 0, count: 64)
            var count = signature.count
            let message = Array("\(head).\(body)".utf8)
            precondition(EVP_DigestSignInit(context, nil, nil, nil, edwards) == 1)
            precondition(EVP_DigestSign(context, &signature, &count, message, message.count) == 1)
            return "\(head).\(body).\(Self.text(signature))"
        }
        let signed = json_object()
        let template = json_object()
        defer {
            json_decref(signed)
            json_decref(template)
        }
        json_object_set_new(signed, "payload", json_string(body))
        json_object_set_new(template, "protected", json_string(head))
        precondition(jose_jws_sig(nil, signed, template, web))
        return "\(head).\(body).\(String(cString: json_string_value(json_object_get(signed, "signature"))))"
    }

    /// One that is signed by nobody.
    package static func unsigned(_ payload: String, algorithm: String = "none") -> String {
        "\(text(Array(#"{"alg":"\#(algorithm)"}"#.utf8))).\(text(Array(payload.utf8)))."
    }

    package static func text(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
