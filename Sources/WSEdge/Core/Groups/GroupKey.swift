import Common
package import Feed

/// What subscribers of a stream have in common who are told the same.
package struct GroupKey: Hashable, Sendable {
    package enum Form: Hashable, Sendable {
        /// `millrace.v1.json`.
        case messages
        /// One JSON object a message and nothing else, for those that speak no subprotocol.
        case plain
        /// The same messages as Server-Sent Events.
        case events
    }

    package enum Mode: Hashable, Sendable {
        /// Each change.
        case log
        /// The newest row of each key, at most so many messages a second.
        case latest(perSecond: Int)
    }

    var form: Form
    var mode: Mode
    var filter: RowFilter

    package init(_ form: Form, _ mode: Mode = .log, _ filter: RowFilter = RowFilter()) {
        self.form = form
        self.mode = mode
        self.filter = filter
    }

    var isLatest: Bool { mode != .log }

    /// Whether clients keep one row a key.
    func isKeyed(_ stream: StreamDefinition) -> Bool { stream.isKeyed || isLatest }

    /// Whether rows that leave the filter have to be known.
    func watchesKeys(_ stream: StreamDefinition) -> Bool { !filter.isEmpty && isKeyed(stream) }

    /// Whoever is told of all rows reads the stream's own ring.
    var isWhole: Bool { mode == .log && filter.isEmpty }
}
