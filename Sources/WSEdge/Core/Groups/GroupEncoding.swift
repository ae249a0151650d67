import Common
import WebServer

/// How a group's clients are told of rows.
package enum GroupEncoding: Hashable, Sendable {
    /// `millrace.v1.json`, with the group's number.
    case messages(sub: Int)
    /// One JSON object a message and nothing else, for those that speak no subprotocol.
    case plain

    func frames(_ rows: ArraySlice<FeedMessage.Row>, _ position: [SourceID: Int64]) -> FrameBuffer {
        switch self {
        case .messages(let sub) where rows.isEmpty: FrameBuffer(text: ServerMessage.progress(sub: sub, position))
        case .messages(let sub): FrameBuffer(text: ServerMessage.rows(sub: sub, rows, position))
        case .plain: FrameBuffer(texts: rows.map(\.json))
        }
    }
}
