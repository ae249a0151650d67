/// What a server does with connections that stay: the WebSockets of a path, and streams of events. All of it is called on
/// the server's thread, and must not wait.
package protocol ConnectionHandler: AnyObject {
    /// Of a WebSocket. Nil: it is welcome.
    func refusal(of request: HTTPRequest) -> HTTPResponse?
    /// A WebSocket.
    func opened(_ connection: ClientConnection)
    /// A whole text message; others end a connection.
    func received(_ text: [UInt8], from connection: ClientConnection)
    /// The next frames of a connection that asked to write; nil when there are none after all. Whoever has more asks again.
    func nextFrames(for connection: ClientConnection) -> FrameBuffer?
    func closed(_ connection: ClientConnection)
}
