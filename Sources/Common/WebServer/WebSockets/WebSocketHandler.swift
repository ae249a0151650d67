/// What a server does with the WebSockets of a path. All of it is called on the server's thread, and must not wait.
package protocol WebSocketHandler: AnyObject {
    /// Nil: it is welcome.
    func refusal(of request: HTTPRequest) -> HTTPResponse?
    func opened(_ connection: WebSocketConnection)
    /// A whole text message; others end a connection.
    func received(_ text: [UInt8], from connection: WebSocketConnection)
    /// The next frames of a connection that asked to write, and whether there may be more of them; nil when there are none
    /// after all.
    func nextFrames(for connection: WebSocketConnection) -> (frames: FrameBuffer, hasMore: Bool)?
    func closed(_ connection: WebSocketConnection)
}
