private import CWebSockets

/// Wakes a server from any thread: it calls its handler's `woken`. Not after the server is gone.
package struct ServerWaker: @unchecked Sendable {
    // lws_cancel_service is the one call of the library that other threads may make.
    private let context: OpaquePointer

    init(_ context: OpaquePointer) {
        self.context = context
    }

    package func wake() {
        lws_cancel_service(context)
    }
}
