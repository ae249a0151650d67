private import CWebSockets

/// A client's connection. Belongs to the server's thread.
package final class WebSocketConnection {
    let wsi: OpaquePointer
    /// What the handler keeps of it.
    package var owner: AnyObject?
    var incoming: [UInt8] = []
    private(set) var closing: (code: UInt16, reason: String)?
    /// Since when nothing that was asked to be written could be; nil while nothing waits.
    package private(set) var waitingSince: ContinuousClock.Instant?

    init(_ wsi: OpaquePointer) {
        self.wsi = wsi
    }

    /// Has `nextFrame` called when the connection takes more.
    package func requestWrite() {
        if waitingSince == nil { waitingSince = .now }
        lws_callback_on_writable(wsi)
    }

    func becameWritable() { waitingSince = nil }

    /// Says why, and ends it, when what is being written has been (RFC 6455, section 7). The first reason counts.
    package func close(_ code: UInt16, _ reason: String) {
        if closing == nil { closing = (code, reason) }
        requestWrite()
    }

    /// Ends it at once, without a word: for a client that doesn't read.
    package func abort() {
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC)
    }
}
