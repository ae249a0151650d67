private import CMicroHTTPD

/// A small HTTP/1.1 server for machines that ask: GET and HEAD of paths, answered by a closure on libmicrohttpd's one
/// thread. It stops, and waits for the answer that is being given, when it is deinitialized.
///
/// Signals that a loop waits for must be blocked before: the library's thread inherits the mask.
package final class Server {
    /// What bounds those who ask.
    package struct Limits: Sendable {
        /// Those beyond wait in the kernel's queue of sixteen.
        package var connections: UInt32 = 16
        /// Without a byte for so long, a connection is closed.
        package var idleSeconds: UInt32 = 10
        /// The request line with all header fields: what is longer is refused with 431 or 414.
        package var headBytes = 16 * 1024

        package init() {}
    }

    /// What was bound: `127.0.0.1:9464`.
    package let address: String
    private let daemon: OpaquePointer
    /// Retained for the library; released after its thread has ended.
    private let responder: Unmanaged<Responder>

    /// - Parameters:
    ///   - port: 0 lets the kernel pick.
    ///   - answer: to a path without its query; must not wait.
    package init(
        host: String, port: UInt16, limits: Limits = Limits(), answer: @escaping @Sendable (_ path: String) -> Response
    ) throws(HTTPError) {
        let (descriptor, address) = try ListeningSocket.open(host: host, port: port)
        let responder = Unmanaged.passRetained(Responder(answer))
        guard
            let daemon = millrace_http_start(
                descriptor, Responder.callback, responder.toOpaque(), limits.connections, limits.idleSeconds,
                limits.headBytes)
        else {
            let error = ListeningSocket.lastError("MHD_start_daemon")
            // Not the descriptor: some of the library's failures close it, some don't, and closing it twice could hit
            // another one. It has no user, and ends with a process that can't start.
            responder.release()
            throw error
        }
        self.address = address
        self.daemon = daemon
        self.responder = responder
    }

    deinit {
        // Closes the listening socket and joins the thread.
        MHD_stop_daemon(daemon)
        responder.release()
    }
}
