import WebSockets

/// Sends back what it gets; `burst N` makes it send N messages of ten bytes.
final class EchoHandler: WebSocketHandler {
    private final class Queue {
        var frames: [WebSocketFrame] = []
    }

    var openLimit = 3
    private(set) var open = 0
    private(set) var ticks = 0

    func mayOpen() -> Bool { open < openLimit }

    func opened(_ connection: WebSocketConnection) {
        open += 1
        connection.owner = Queue()
    }

    func received(_ text: [UInt8], from connection: WebSocketConnection) {
        let words = String(decoding: text, as: UTF8.self).split(separator: " ")
        let queue = connection.owner as! Queue
        switch words.first {
        case "burst":
            queue.frames += .init(repeating: WebSocketFrame(.init(repeating: 65, count: 10)), count: Int(words[1])!)
        case "close": connection.close(4503, "draining")
        case "abort": connection.abort()
        default: queue.frames.append(WebSocketFrame(text))
        }
        connection.requestWrite()
    }

    func nextFrame(for connection: WebSocketConnection) -> WebSocketFrame? {
        let queue = connection.owner as! Queue
        guard !queue.frames.isEmpty else { return nil }
        if queue.frames.count > 1 { connection.requestWrite() }
        return queue.frames.removeFirst()
    }

    func closed(_ connection: WebSocketConnection) { open -= 1 }

    func woken() {}

    func ticked() { ticks += 1 }

    func answer(_ path: String) -> (status: UInt32, body: String)? {
        path == "/livez" ? (200, "alive\n") : nil
    }
}
