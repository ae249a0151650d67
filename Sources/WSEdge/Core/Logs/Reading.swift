import Common
import Feed
import WebServer

/// Rows that were read from Postgres, encoded for a group: one for all who want the same, gone when the last of them has
/// been sent it. On the server's thread.
final class Reading {
    /// What is read: rows of one source from an offset on, in one form.
    struct Key: Hashable, Sendable {
        let stored: StoredStream
        let encoding: GroupEncoding
        let source: SourceID
        let from: Int64
    }

    let span: FeedMessage.Span
    /// Without its rows.
    let replayed: ReplayedRows
    let frames: FrameBuffer
    private let ended: (Int) -> Void

    init(
        _ span: FeedMessage.Span, _ replayed: ReplayedRows, _ frames: FrameBuffer, ended: @escaping (Int) -> Void
    ) {
        self.span = span
        self.replayed = replayed
        self.frames = frames
        self.ended = ended
    }

    deinit {
        ended(frames.bytes.count)
    }

    /// Rows that were asked for and have been deleted; a span from before the source's first row lost nothing.
    var isLossy: Bool { max(span.from, replayed.start) < min(replayed.retainedFrom, replayed.end) }
}
