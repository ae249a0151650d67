/// What a server does with its connections. All of it is called on the server's thread, and must not wait.
package protocol WebSocketHandler: AnyObject {
    /// False: no more can be taken, and the client is refused.
    func mayOpen() -> Bool
    func opened(_ connection: WebSocketConnection)
    /// A whole text message; others end a connection.
    func received(_ text: [UInt8], from connection: WebSocketConnection)
    /// The next message of a connection that asked to write; nil when there is none after all. Whoever has more asks
    /// again.
    func nextFrame(for connection: WebSocketConnection) -> WebSocketFrame?
    func closed(_ connection: WebSocketConnection)
    /// Somebody woke the server.
    func woken()
    /// Once a second.
    func ticked()
    /// To a plain GET of a path; nil for what isn't there. At most 1,000 bytes.
    func answer(_ path: String) -> (status: UInt32, body: String)?
}
