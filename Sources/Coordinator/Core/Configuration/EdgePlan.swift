/// The edges that a coordinator runs itself.
package struct EdgePlan: Sendable, Equatable {
    package var count: Int32 = 0
    package var host = "127.0.0.1"
    /// The first edge's; the others get those that follow. 0: any that is free.
    package var firstPort: UInt16 = 8080
    /// Streams that name no roles are anyone's, to read and to publish.
    package var isOpen = false
    /// Files for TLS, of all of them; nil: connections are not encrypted.
    package var certificate: String?
    package var certificateKey: String?

    package init() {}
}
