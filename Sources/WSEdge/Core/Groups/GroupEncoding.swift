import Common
import WebServer

/// How a group's clients are told of rows.
package enum GroupEncoding: Hashable, Sendable {
    /// `millrace.v1.json`, with the group's number.
    case messages(sub: Int)
    /// One JSON object a message and nothing else, for those that speak no subprotocol.
    case plain

    /// Messages end at the row that goes over it.
    private static let messageByteLimit = 256 * 1024

    /// Rows in as many messages as they need. A position that moves without rows (dead letters are no rows) is a message
    /// too; for plain clients it is none, and the buffer is empty.
    func frames(_ rows: [FeedMessage.Row], _ position: [SourceID: Int64]) -> FrameBuffer {
        guard case .messages(let sub) = self else { return FrameBuffer(texts: rows.map(\.json)) }
        guard !rows.isEmpty else { return FrameBuffer(text: ServerMessage.progress(sub: sub, position)) }
        var texts: [[UInt8]] = []
        var begin = 0
        var byteCount = 0
        var reached: [SourceID: Int64] = [:]
        for (index, row) in rows.enumerated() {
            byteCount += row.json.count + 1
            let isLast = index + 1 == rows.count
            // Within a message only its end counts; the last one moves what has no rows, too.
            if !isLast { reached[row.source] = row.offset + 1 }
            guard isLast || byteCount >= Self.messageByteLimit else { continue }
            texts.append(ServerMessage.rows(sub: sub, rows[begin...index], isLast ? position : reached))
            (begin, byteCount, reached) = (index + 1, 0, [:])
        }
        return FrameBuffer(texts: texts)
    }
}
