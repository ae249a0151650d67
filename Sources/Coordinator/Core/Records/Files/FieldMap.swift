internal import Common

/// Which field of a file holds which column: `--map column=field`, else the field of the column's own path or name.
struct FieldMap {
    struct Entry {
        let column: Column
        /// Where the stream looks for it in a record.
        let path: String
        /// What the file calls it; nil where nobody has said.
        let field: String?
    }

    /// The columns that come from a record's JSON, in their order.
    let entries: [Entry]

    init(_ stream: StreamDefinition, _ map: [String: String]) throws(StartError) {
        var entries: [Entry] = []
        for column in stream.columns {
            guard case .path(let path) = column.origin else { continue }
            entries.append(Entry(column: column, path: path, field: map[column.name]))
        }
        for name in map.keys.sorted() where !entries.contains(where: { $0.column.name == name }) {
            throw StartError(
                "--map: stream '\(stream.name)' has no column '\(name)' that a record's JSON holds; it has "
                    + entries.map(\.column.name).joined(separator: ", "), .usage)
        }
        self.entries = entries
    }

    static func layout(_ entries: [Entry], of stream: StreamDefinition) throws(StartError) -> DocumentLayout {
        guard let layout = DocumentLayout(paths: entries.map(\.path)) else {
            throw StartError("stream '\(stream.name)' reads a field and something inside of it", .usage)
        }
        return layout
    }
}
