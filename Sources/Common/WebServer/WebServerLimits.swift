/// What bounds those who connect to a server.
package struct WebServerLimits: Sendable {
    /// Connections open at once, HTTP and WebSocket together. A few beyond may ask by HTTP; others are hung up on.
    package var connections = 10_000
    /// Connections of one address; nil: as many as in all.
    package var connectionsPerAddress: Int?
    /// Bytes of a WebSocket client's message; a longer one ends its connection with 1009.
    package var messageByteCount = 64 * 1024
    /// Bytes of all messages that are not complete; a connection that would exceed it is ended with 1013.
    package var messagesByteCount = 64 * 1024 * 1024
    /// Bytes of a request's body; a longer one is answered with 413.
    package var bodyByteCount = 1024 * 1024
    /// Bytes of all bodies that are being received; beyond it requests with a body are answered with 503.
    package var bodiesByteCount = 64 * 1024 * 1024
    /// Bytes of all answers whose clients have not taken them yet; a long one beyond it becomes a 503.
    package var answersByteCount = 128 * 1024 * 1024
    /// From a request's head to the end of its body; after it the request is answered with 408.
    package var bodySeconds = 60
    /// A connection is ended after so long: until a request's head is there, and between a request and the next on the same connection.
    package var idleSeconds: UInt32 = 10
    /// A request that is not answered after so long ends its connection, and so does an answer of which nothing is taken for so
    /// long.
    package var answerSeconds: Int32 = 60
    /// A WebSocket connection that has been silent for so long is asked for a sign of life, and ended after twice the time.
    package var pingSeconds = 25
    /// What the kernel may hold of a connection's unsent bytes, or a client that doesn't read is found late.
    package var sendBufferByteCount: Int32 = 256 * 1024

    package init() {}
}
