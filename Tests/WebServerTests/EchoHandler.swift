import WebServer

/// Sends back what it gets; `burst N` makes it send N messages of ten bytes, `large N` one of N bytes, `close REASON` ends the
/// connection.
final class EchoHandler: ConnectionHandler {
    private final class Queue {
        var frames: [FrameBuffer] = []
    }

    var openLimit = 3
    private(set) var open = 0

    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        open < openLimit ? nil : .text(503, "three are enough\n")
    }

    func opened(_ connection: ClientConnection) {
        open += 1
        connection.owner = Queue()
    }

    func received(_ text: [UInt8], from connection: ClientConnection) {
        let words = String(decoding: text, as: UTF8.self).split(separator: " ")
        let queue = connection.owner as! Queue
        switch words.first {
        case "burst":
            queue.frames += .init(repeating: FrameBuffer(text: .init(repeating: 65, count: 10)), count: Int(words[1])!)
        case "large": queue.frames.append(FrameBuffer(text: .init(repeating: 65, count: Int(words[1])!)))
        case "close": connection.close(4503, words.count > 1 ? String(words[1]) : "draining")
        case "abort": connection.abort()
        default: queue.frames.append(FrameBuffer(text: text))
        }
        connection.requestWrite()
    }

    func nextFrames(for connection: ClientConnection) -> (frames: FrameBuffer, hasMore: Bool)? {
        let queue = connection.owner as! Queue
        guard !queue.frames.isEmpty else { return nil }
        let frames = queue.frames.removeFirst()
        return (frames, !queue.frames.isEmpty)
    }

    func closed(_ connection: ClientConnection) { open -= 1 }
}
