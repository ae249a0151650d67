private import CZeroMQ

/// A libzmq context. Made in the process that uses it, never inherited; destroyed after its sockets.
package final class Context {
    let handle: UnsafeMutableRawPointer

    package init() {
        guard let handle = zmq_ctx_new() else { preconditionFailure("out of memory") }
        self.handle = handle
    }

    deinit {
        // Every socket has linger zero, so this does not wait.
        zmq_ctx_term(handle)
    }
}
