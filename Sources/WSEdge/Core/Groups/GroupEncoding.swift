package import Common
import Feed
package import WebServer

/// How a group's clients are told of rows.
package struct GroupEncoding: Sendable {
    let sub: Int
    let form: GroupKey.Form
    /// Rows of a keyed stream have versions, and may be deleted.
    let isKeyed: Bool
    /// Rows of a source come in the order of their offsets.
    private let isOrdered: Bool
    private let keys: RowKeys
    private let epoch: String

    private struct Message {
        let text: [UInt8]
        /// What it moves of a client's position; nil: behind it nobody can go on.
        let reached: [SourceID: Int64]?
    }

    /// Messages end at the row that goes over it.
    private static let messageByteLimit = 256 * 1024

    /// - Parameter epoch: of the stream's positions.
    package init(sub: Int, _ key: GroupKey, _ stream: StreamDefinition, epoch: String) {
        self.sub = sub
        form = key.form
        self.epoch = epoch
        isKeyed = stream.isKeyed
        isOrdered = !key.isKeyed(stream)
        keys = RowKeys(stream)
    }

    /// What came together, in as many messages as it needs. A position that moves without rows (dead letters are no rows) is a
    /// message too; for plain clients it is none, and the buffer is empty.
    ///
    /// - Parameter position: where a client of events is before it; nil: it is nowhere yet, and has to come again from where it
    ///   was.
    package func frames(_ entry: StreamRing.Entry, from position: [SourceID: Int64]?) -> FrameBuffer {
        guard form != .plain else { return FrameBuffer(texts: entry.rows.filter { !$0.deleted }.map(\.json)) }
        return frames(messages(entry), from: position)
    }

    private func messages(_ entry: StreamRing.Entry) -> [Message] {
        var messages: [Message] = []
        if !entry.left.isEmpty {
            messages.append(.init(text: ServerMessage.leave(sub: sub, entry.left.map(\.key)), reached: nil))
        }
        guard !entry.rows.isEmpty else {
            messages.append(.init(text: ServerMessage.progress(sub: sub, entry.position), reached: entry.position))
            return messages
        }
        for (range, isLast) in Self.parts(entry.rows) {
            // Rows of keys are in no order that a part could name: its end is known with the last only.
            let reached = isLast ? entry.position : isOrdered ? Self.reached(entry.rows[range]) : nil
            let text = ServerMessage.rows(sub: sub, content(entry.rows[range]), reached ?? [:])
            messages.append(.init(text: text, reached: reached))
        }
        return messages
    }

    /// A part of a table's state.
    ///
    /// - Parameter start: where the feed goes on behind the last part; nil: this is none.
    func snapshot(_ rows: [FeedMessage.Row], before start: [SourceID: Int64]?) -> FrameBuffer {
        let parts = rows.isEmpty ? [(0..<0, true)] : Self.parts(rows)
        let messages = parts.map { range, isLastPart in
            let isLast = start != nil && isLastPart
            return Message(
                text: ServerMessage.snapshot(sub: sub, content(rows[range]), more: !isLast),
                reached: isLast ? start : nil)
        }
        return frames(messages, from: start)
    }

    /// An event's id hands back the whole position, since a browser keeps the last one only and merges nothing.
    private func frames(_ messages: [Message], from position: [SourceID: Int64]?) -> FrameBuffer {
        guard form == .events else { return FrameBuffer(texts: messages.map(\.text)) }
        var own = position
        var text = EventText()
        for message in messages {
            guard let reached = message.reached, own != nil else {
                text.add(message.text)
                continue
            }
            own?.merge(reached) { $1 }
            text.add(message.text, id: own.map { EventID(epoch: epoch, position: $0).text })
        }
        return FrameBuffer(events: text.bytes)
    }

    private func content(_ rows: ArraySlice<FeedMessage.Row>) -> ServerMessage.Rows {
        guard isKeyed || rows.contains(where: \.deleted) else { return .init(rows: rows, keyed: nil) }
        let (there, deleted) = (rows.filter { !$0.deleted }, rows.filter(\.deleted))
        return .init(
            rows: there[...],
            keyed: .init(
                versions: isKeyed ? (there + deleted).map(\.version) : nil, deleted: deleted.map { keys.json($0.json) })
        )
    }

    private static func reached(_ rows: ArraySlice<FeedMessage.Row>) -> [SourceID: Int64] {
        var reached: [SourceID: Int64] = [:]
        for row in rows { reached[row.source] = row.offset + 1 }
        return reached
    }

    private static func parts(_ rows: [FeedMessage.Row]) -> [(Range<Int>, isLast: Bool)] {
        var parts: [(Range<Int>, isLast: Bool)] = []
        var begin = 0
        var byteCount = 0
        for (index, row) in rows.enumerated() {
            byteCount += row.json.count + 1
            let isLast = index + 1 == rows.count
            guard isLast || byteCount >= messageByteLimit else { continue }
            parts.append((begin..<(index + 1), isLast))
            (begin, byteCount) = (index + 1, 0)
        }
        return parts
    }
}
