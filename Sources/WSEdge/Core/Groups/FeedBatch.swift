package import Common
package import WebSockets

/// A message of rows for every subscriber of a group: the same bytes for each.
package struct FeedBatch: Sendable {
    package let frame: WebSocketFrame
    /// The next offset of each source that it moves.
    package let position: [SourceID: Int64]

    /// Messages end at the row that goes over it.
    private static let byteLimit = 256 * 1024

    /// A delivery's rows in as many messages as they need, for the group `sub`. A position that moves without rows
    /// (dead letters are no rows) is a message too.
    package static func make(
        sub: Int, _ rows: [FeedMessage.Row], position: [SourceID: Int64]
    ) -> [FeedBatch] {
        guard !rows.isEmpty else {
            return [FeedBatch(frame: WebSocketFrame(ServerMessage.progress(sub: sub, position)), position: position)]
        }
        var batches: [FeedBatch] = []
        var begin = 0
        var byteCount = 0
        var reached: [SourceID: Int64] = [:]
        for (index, row) in rows.enumerated() {
            byteCount += row.json.count + 1
            reached[row.source] = row.offset + 1
            let isLast = index + 1 == rows.count
            guard isLast || byteCount >= byteLimit else { continue }
            let moved = isLast ? position : reached
            batches.append(
                FeedBatch(
                    frame: WebSocketFrame(ServerMessage.rows(sub: sub, rows[begin...index], moved)), position: moved))
            (begin, byteCount, reached) = (index + 1, 0, [:])
        }
        return batches
    }
}
