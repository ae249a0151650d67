/// What a server does with the WebSockets of a path. All of it is called on the server's thread, and must not wait.
package protocol WebSocketHandler: AnyObject {
    /// Nil: it is welcome.
    func refusal(of request: HTTPRequest) -> HTTPResponse?
    func opened(_ connection: WebSocketConnection)
    /// Whether binary messages are taken; else they end a connection.
    var takesBinary: Bool { get }
    /// A whole text message.
    func received(_ text: [UInt8], from connection: WebSocketConnection)
    func received(binary: [UInt8], from connection: WebSocketConnection)
    /// The next frames of a connection that asked to write, and whether there may be more of them; nil when there are none
    /// after all.
    func nextFrames(for connection: WebSocketConnection) -> (frames: FrameBuffer, hasMore: Bool)?
    func closed(_ connection: WebSocketConnection)
}

extension WebSocketHandler {
    package var takesBinary: Bool { false }
    package func received(binary: [UInt8], from connection: WebSocketConnection) {}
}
