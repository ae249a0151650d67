package import Common

/// One filter with what it takes to look at rows of its stream.
package struct RowChooser: Sendable {
    private let filter: RowFilter
    private let fields: RowFields
    private let types: [Int: ColumnType]

    package init(_ filter: RowFilter, _ stream: StreamDefinition) {
        self.filter = filter
        fields = RowFields(stream, filter.columns)
        types = Dictionary(uniqueKeysWithValues: filter.columns.map { ($0, stream.columns[$0].type) })
    }

    /// - Parameter json: a row in canonical form.
    package func matches(_ json: [UInt8]) -> Bool {
        filter.isEmpty || filter.matches(FilterRow(json, fields, types: types))
    }
}
