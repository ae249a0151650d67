private import CZeroMQ

/// Encryption and authentication (CURVE, https://rfc.zeromq.org/spec/26/) of what a socket binds or connects from then
/// on. An endpoint that was bound before stays as it was: one router can be open on `ipc://` and guarded on `tcp://`.
extension Socket {
    /// Lets in only clients that know this key's public half, and that the context's `Authenticator` allows. Fails
    /// closed: without an authenticator in the context nobody gets in. Before `bind`.
    package func actAsCurveServer(_ secretKey: CurveSecretKey) throws(ZeroMQError) {
        try setBytes(ZMQ_ZAP_DOMAIN, Array("millrace".utf8))
        // Without this, libzmq lets everybody in when no handler is bound (libzmq issue 2762). zmq.h shows the option
        // only with ZMQ_BUILD_DRAFT_API, but libzmq has had it in every build since 4.3.0; one that has not throws here.
        let enforceDomain: Int32 = 93
        try Self.set(enforceDomain, Int32(1), on: handle)
        try Self.set(ZMQ_CURVE_SERVER, Int32(1), on: handle)
        try setBytes(ZMQ_CURVE_SECRETKEY, Array(secretKey.text.utf8))
    }

    /// Speaks only to the server that holds the secret half of `server`. Before `connect`.
    ///
    /// A client whose key is not allowed is told so, and libzmq does not try again: a dealer's `send` is false from then
    /// on. A second `connect` to the same endpoint does nothing either: when the key has been allowed, make a new socket.
    /// A client with a wrong `server` tries for ever and is never answered.
    package func actAsCurveClient(_ own: CurveKeyPair, server: CurvePublicKey) throws(ZeroMQError) {
        try setBytes(ZMQ_CURVE_SERVERKEY, Array(server.text.utf8))
        try setBytes(ZMQ_CURVE_PUBLICKEY, Array(own.publicKey.text.utf8))
        try setBytes(ZMQ_CURVE_SECRETKEY, Array(own.secretKey.text.utf8))
    }
}
