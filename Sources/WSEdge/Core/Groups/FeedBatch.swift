package import Common
package import WebServer

/// Messages of rows for every subscriber of a group: the same bytes for each.
package struct FeedBatch: Sendable {
    /// Empty where a position moves and the group's clients are not told.
    package let frames: FrameBuffer
    /// The next offset of each source that it moves.
    package let position: [SourceID: Int64]

    /// Messages end at the row that goes over it.
    private static let byteLimit = 256 * 1024

    /// Rows in as many messages as they need. A position that moves without rows (dead letters are no rows) is a message
    /// too.
    package static func make(
        _ encoding: GroupEncoding, _ rows: [FeedMessage.Row], position: [SourceID: Int64]
    ) -> [FeedBatch] {
        guard !rows.isEmpty else { return [FeedBatch(frames: encoding.frames([], position), position: position)] }
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
            batches.append(FeedBatch(frames: encoding.frames(rows[begin...index], moved), position: moved))
            (begin, byteCount, reached) = (index + 1, 0, [:])
        }
        return batches
    }
}
