internal import CJose
private import Foundation

/// A signed text in its compact form, HEAD.PAYLOAD.SIGNATURE (RFC 7515, section 7.1). What it says counts only once
/// `isSigned` has said so.
struct SignedText {
    /// Of the whole, so that nobody has much parsed who is not known yet.
    static let byteLimit = 8192

    let algorithm: String
    let keyID: String?
    let payload: [UInt8]
    private let parts: [Substring]

    /// The parts' names in the library's form (RFC 7515, section 7.2.2), in their order.
    private static let names = ["protected", "payload", "signature"]

    /// Nil for what is none, or has a head that asks for what nobody here does (`crit`, section 4.1.11).
    init?(_ text: String) {
        guard text.utf8.count <= Self.byteLimit else { return nil }
        parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            Base64URL.decode(parts[2]) != nil,
            let members = try? JSONSerialization.jsonObject(with: Data(head)) as? [String: Any],
            let algorithm = members["alg"] as? String, members["crit"] == nil, members["b64"] == nil
        else { return nil }
        if let id = members["kid"], !(id is String) { return nil }
        self.algorithm = algorithm
        keyID = members["kid"] as? String
        self.payload = payload
    }

    /// Whether the key has signed it, with the key's algorithm and no other.
    func isSigned(with key: TokenKey) -> Bool {
        guard algorithm == key.algorithm.rawValue else { return false }
        if let edwards = key.edwardsKey {
            guard let signature = Base64URL.decode(parts[2]) else { return false }
            return EdwardsSignature.isValid(signature, of: Array("\(parts[0]).\(parts[1])".utf8), key: edwards)
        }
        guard let web = json_loads(key.json, 0, nil), let signed = json_object() else { return false }
        defer {
            json_decref(web)
            json_decref(signed)
        }
        for (name, part) in zip(Self.names, parts) {
            guard json_object_set_new(signed, name, json_string(String(part))) == 0 else { return false }
        }
        return jose_jws_ver(nil, signed, nil, web, false)
    }

    /// Nil when the library can't, for want of memory.
    static func sign(_ payload: [UInt8], with key: TokenKey) -> String? {
        guard let web = json_loads(key.json, 0, nil), let signed = json_object(), let template = json_object(),
            let head = json_object()
        else { return nil }
        defer {
            json_decref(web)
            json_decref(signed)
            json_decref(template)
        }
        // The template owns the head from here on.
        guard json_object_set_new(template, "protected", head) == 0,
            json_object_set_new(head, "alg", json_string(key.algorithm.rawValue)) == 0,
            json_object_set_new(head, "typ", json_string("JWT")) == 0,
            json_object_set_new(signed, "payload", json_string(Base64URL.encode(payload))) == 0
        else { return nil }
        if let id = key.id, json_object_set_new(head, "kid", json_string(id)) != 0 { return nil }
        guard jose_jws_sig(nil, signed, template, web) else { return nil }
        let parts = names.compactMap { (name: String) -> String? in
            json_string_value(json_object_get(signed, name)).map { String(cString: $0) }
        }
        return parts.count == 3 ? parts.joined(separator: ".") : nil
    }
}
