import Common
import WebServer

/// Subscribers of a stream who are told the same: one buffer serves them all. On the server's thread.
final class Group {
    /// Its number in messages, not used before by this edge.
    let sub: Int
    let encoding: GroupEncoding
    var subscribers: [UInt64: EdgeClient] = [:]
    /// By number of the ring's entry: what was encoded since somebody wanted it.
    private var encoded: [UInt64: FrameBuffer] = [:]
    private var firstEncoded: UInt64 = 0

    init(sub: Int, _ encoding: GroupEncoding) {
        self.sub = sub
        self.encoding = encoding
    }

    func frames(_ number: UInt64, _ ring: StreamRing) -> FrameBuffer {
        while firstEncoded < ring.first {
            encoded[firstEncoded] = nil
            firstEncoded += 1
        }
        if let known = encoded[number] { return known }
        let entry = ring[number]
        let frames = encoding.frames(entry.rows, entry.position)
        encoded[number] = frames
        return frames
    }

    /// Has those asked who don't wait already.
    func wake() {
        for client in subscribers.values where client.connection.waitingSince == nil {
            client.connection.requestWrite()
        }
    }
}
