/// A request of ZAP (https://rfc.zeromq.org/spec/27/), as a router receives it: may this peer connect?
struct AuthenticationRequest {
    /// The numbers of RFC 27. Not 300, "try again": nothing that is decided here changes by itself.
    enum Status: String {
        case success = "200"
        case refused = "400"
        case malformed = "500"
    }

    static let version = Array("1.0".utf8)

    /// The router's name of the asker, and the empty frame: the way back.
    private let envelope: [[UInt8]]
    private let version: [UInt8]
    private let requestID: [UInt8]
    /// Domain, address, routing id, mechanism, credentials.
    private let rest: [[UInt8]]

    /// Nil when it has no version and request id behind an envelope: then there is nothing to refer to in an answer.
    init?(_ parts: [[UInt8]]) {
        guard parts.count >= 4, parts[1].isEmpty else { return nil }
        envelope = Array(parts[..<2])
        version = parts[2]
        requestID = parts[3]
        rest = Array(parts[4...])
    }

    /// The answer, and for success also who it is.
    func decide(allowedKeys: Set<CurvePublicKey>) -> (status: Status, reason: String, key: CurvePublicKey?) {
        guard version == Self.version, rest.count >= 4 else { return (.malformed, "not a request of ZAP 1.0", nil) }
        guard rest[3] == Array("CURVE".utf8) else { return (.refused, "not CURVE", nil) }
        // CURVE's credentials are one frame: the client's public key, which the handshake proved to be its own.
        guard rest.count == 5, let key = CurvePublicKey(bytes: rest[4]) else {
            return (.malformed, "the credentials are not a public key", nil)
        }
        return allowedKeys.contains(key) ? (.success, "OK", key) : (.refused, "this key is not in the list", nil)
    }

    /// Version, request id, status, text, user id, and no metadata. The user id is the key: it can be read with each
    /// message of this peer (zmq_msg_gets "User-Id").
    func reply(_ status: Status, _ reason: String, key: CurvePublicKey?) -> [[UInt8]] {
        envelope + [
            Self.version, requestID, Array(status.rawValue.utf8), Array(reason.utf8), Array((key?.text ?? "").utf8), [],
        ]
    }
}
