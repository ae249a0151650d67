private import CWebSockets

/// A client's connection that stays: a WebSocket, or a stream of events, which only sends. Belongs to the server's thread.
package final class ClientConnection {
    package enum Framing: Sendable {
        case webSocket
        /// Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
        case events
    }

    package let framing: Framing
    /// Nil once it has ended: whoever still holds this can do no harm.
    private(set) var wsi: OpaquePointer?
    let handler: any ConnectionHandler
    /// Nil: it speaks none.
    package let subprotocol: String?
    /// The query of the request's address.
    package let query: [String: String]
    /// The other side's address, without its port.
    package let address: String
    /// The request's credentials.
    package let authorization: String?
    /// What the handler keeps of it.
    package var owner: AnyObject?
    var incoming: [UInt8] = []
    /// Of the frames that are being written, what the library was not given yet.
    var rest: ArraySlice<UInt8>?
    /// When its last bytes came.
    var heardAt = ContinuousClock.now
    private(set) var needsPing = false
    /// When it was asked for a sign of life the last time.
    private var askedAt: ContinuousClock.Instant?
    private(set) var closing: (code: UInt16, reason: String)?
    /// Since when nothing that was asked to be written could be; nil while nothing waits.
    package private(set) var waitingSince: ContinuousClock.Instant?
    private let clock: TurnClock

    init(
        _ wsi: OpaquePointer, _ request: HTTPRequest, _ framing: Framing, _ subprotocol: String?,
        _ handler: any ConnectionHandler, _ clock: TurnClock
    ) {
        self.clock = clock
        self.wsi = wsi
        self.framing = framing
        self.subprotocol = subprotocol
        self.handler = handler
        query = request.query
        address = request.address
        authorization = request.authorization
    }

    /// When the server's turn began.
    package var turn: ContinuousClock.Instant { clock.now }

    /// Has `nextFrames` called when the connection takes more.
    package func requestWrite() {
        guard let wsi else { return }
        if waitingSince == nil { waitingSince = clock.now }
        // What ends a connection is the library's to do, and so are answers.
        if closing == nil, framing == .webSocket { millrace_web_ask(wsi) } else { lws_callback_on_writable(wsi) }
    }

    /// Once a second: a connection that is silent is asked for a sign of life, and ended without one. Of a stream of events the
    /// kernel knows whether what is sent arrives.
    func checkLife(at now: ContinuousClock.Instant, _ limit: Duration) {
        guard framing == .webSocket, now - heardAt > limit else { return }
        if let askedAt, askedAt > heardAt {
            if now - askedAt > limit { abort() }
        } else {
            (askedAt, needsPing) = (now, true)
            requestWrite()
        }
    }

    func pinged() { needsPing = false }

    /// The library frees it.
    func ended() {
        wsi = nil
        owner = nil
        rest = nil
    }

    func becameWritable() { waitingSince = nil }

    /// Ends it when what is being written has been, and says why (RFC 6455, section 7), which a stream of events can't. The
    /// first reason counts.
    package func close(_ code: UInt16, _ reason: String) {
        if closing == nil { closing = (code, reason) }
        requestWrite()
    }

    /// Ends it at once, without a word: for a client that doesn't read.
    package func abort() {
        guard let wsi else { return }
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC)
    }
}
