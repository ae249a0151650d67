import Common

/// Subscribers of a stream who are told the same: one buffer serves them all. On the server's thread.
final class Group {
    /// Its number in messages, not used before by this edge.
    let sub: Int
    let encoding: GroupEncoding
    var ring: FeedRing
    var subscribers: [UInt64: EdgeClient] = [:]

    init(sub: Int, _ encoding: GroupEncoding, from position: [SourceID: Int64]) {
        self.sub = sub
        self.encoding = encoding
        ring = FeedRing(from: position)
    }

    /// Has all of them asked to take it.
    func append(_ rows: [FeedMessage.Row], position: [SourceID: Int64]) {
        // Nobody comes back to a plain group: what nobody hears is not encoded.
        guard encoding != .plain || !subscribers.isEmpty else { return ring.skip(to: position) }
        for batch in FeedBatch.make(encoding, rows, position: position) { ring.append(batch) }
        // One that waits already is asked by itself when it takes more.
        for client in subscribers.values where client.connection.waitingSince == nil {
            client.connection.requestWrite()
        }
    }
}
