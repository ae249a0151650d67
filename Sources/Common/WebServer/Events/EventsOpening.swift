/// How a request goes on as a stream of events.
struct EventsOpening {
    let handler: any ConnectionHandler
    /// Header fields beside those that every such stream has.
    let headers: [String: String]
    let opened: (ClientConnection) -> Void
}
