import Common
import Feed
import WebServer

/// How a group's clients are told of rows.
struct GroupEncoding: Sendable {
    let sub: Int
    let form: GroupKey.Form
    /// Rows of a keyed stream have versions, and may be deleted.
    let isKeyed: Bool
    private let keys: RowKeys

    /// Messages end at the row that goes over it.
    private static let messageByteLimit = 256 * 1024

    init(sub: Int, _ form: GroupKey.Form, _ stream: StreamDefinition) {
        self.sub = sub
        self.form = form
        isKeyed = stream.isKeyed
        keys = RowKeys(stream)
    }

    /// What came together, in as many messages as it needs. A position that moves without rows (dead letters are no rows) is a
    /// message too; for plain clients it is none, and the buffer is empty.
    func frames(_ entry: StreamRing.Entry) -> FrameBuffer {
        guard form == .messages else { return FrameBuffer(texts: entry.rows.filter { !$0.deleted }.map(\.json)) }
        var texts: [[UInt8]] = []
        if !entry.left.isEmpty { texts.append(ServerMessage.leave(sub: sub, entry.left.map(\.key))) }
        guard !entry.rows.isEmpty else {
            texts.append(ServerMessage.progress(sub: sub, entry.position))
            return FrameBuffer(texts: texts)
        }
        for (range, isLast) in Self.parts(entry.rows) {
            // Rows of keys are in no order that a part could name: its end is known with the last only.
            let reached = isLast ? entry.position : isKeyed ? [:] : Self.reached(entry.rows[range])
            texts.append(ServerMessage.rows(sub: sub, content(entry.rows[range]), reached))
        }
        return FrameBuffer(texts: texts)
    }

    /// A part of a table's state.
    func snapshot(_ rows: [FeedMessage.Row], isLast: Bool) -> FrameBuffer {
        let parts = rows.isEmpty ? [(0..<0, true)] : Self.parts(rows)
        return FrameBuffer(
            texts: parts.map { range, isLastPart in
                ServerMessage.snapshot(sub: sub, content(rows[range]), more: !(isLast && isLastPart))
            })
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
