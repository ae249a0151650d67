/// What a server does with connections that stay: the WebSockets of a path, and streams of events. All of it is called on
/// the server's thread, and must not wait.
package protocol ConnectionHandler: AnyObject {
    /// Of a WebSocket. Nil: it is welcome.
    func refusal(of request: HTTPRequest) -> HTTPResponse?
    /// A WebSocket.
    func opened(_ connection: ClientConnection)
    /// Whether binary messages are taken; else they end a connection.
    var takesBinary: Bool { get }
    /// A whole text message.
    func received(_ text: [UInt8], from connection: ClientConnection)
    func received(binary: [UInt8], from connection: ClientConnection)
    /// The next frames of a connection that asked to write, and whether there may be more of them; nil when there are none
    /// after all.
    func nextFrames(for connection: ClientConnection) -> (frames: FrameBuffer, hasMore: Bool)?
    func closed(_ connection: ClientConnection)
}

extension ConnectionHandler {
    package var takesBinary: Bool { false }
    package func received(binary: [UInt8], from connection: ClientConnection) {}
}
