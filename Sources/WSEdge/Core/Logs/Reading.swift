import Common
import Feed
import WebServer

/// Rows that were read from Postgres: one for all who want the same, gone when the last of them has been sent it. On the
/// server's thread.
final class Reading {
    /// What is read of a stream.
    struct Key: Hashable, Sendable {
        enum What: Hashable, Sendable {
            /// A source's rows from an offset on.
            case rows(Piece)
            /// A page of a table's state. Those who began together share them.
            case page(Snapshot.Number, SnapshotPage.Request)
        }

        let opening: StreamFeed.Opening
        let what: What

        static func == (one: Key, other: Key) -> Bool {
            one.opening.number == other.opening.number && one.what == other.what
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(opening.number)
            hasher.combine(what)
        }
    }

    /// Whoever begins at the same offset gets the same, wherever the other would have it end: there may be more to read.
    struct Piece: Hashable, Sendable {
        let span: FeedMessage.Span

        static func == (one: Piece, other: Piece) -> Bool {
            (one.span.source, one.span.from) == (other.span.source, other.span.from)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(span.source)
            hasher.combine(span.from)
        }
    }

    enum Content: Sendable {
        case rows(FeedMessage.Span, ReplayedRows)
        case page(SnapshotPage)

        var rows: [FeedMessage.Row] {
            switch self {
            case .rows(_, let replayed): replayed.rows
            case .page(let page): page.rows
            }
        }
    }

    let content: Content
    let byteCount: Int
    private var frames: [Int: FrameBuffer] = [:]
    private let ended: (Int) -> Void

    init(_ content: Content, ended: @escaping (Int) -> Void) {
        self.content = content
        byteCount = content.rows.reduce(0) { $0 + $1.heldByteCount }
        self.ended = ended
    }

    deinit {
        ended(byteCount)
    }

    /// As a group's clients are told of it: encoded once for all of them. Who is told of rows as events is told also where it
    /// is then, which others are not.
    ///
    /// - Parameters:
    ///   - sub: the group's.
    ///   - form: the group's.
    ///   - encode: how, the first time.
    func frames(_ sub: Int, _ form: GroupKey.Form, _ encode: () -> FrameBuffer) -> FrameBuffer {
        if form == .events, case .rows = content { return encode() }
        if let known = frames[sub] { return known }
        let new = encode()
        frames[sub] = new
        return new
    }
}
