package import Common
package import Feed

/// The filters of a stream's subscribers, so that a row costs what it matches. A pure value.
///
/// A filter with a box is found by its place, one with a choice by the value of its first column; only those that have
/// nothing but intervals are all looked at.
package struct FilterIndex<ID: Hashable> {
    private let types: [Int: ColumnType]
    private let stream: StreamDefinition
    private var filters: [ID: RowFilter] = [:]
    /// By longitude and latitude column: a stream has one pair.
    private var grids: [RowFilter.Pair: BoxGrid<ID>] = [:]
    private var choices: [Int: [[UInt8]: Set<ID>]] = [:]
    private var others: Set<ID> = []
    /// How many filters look at a column.
    private var columns: [Int: Int] = [:]
    private var fields: RowFields

    package init(_ stream: StreamDefinition) {
        self.stream = stream
        types = Dictionary(uniqueKeysWithValues: stream.columns.enumerated().map { ($0.offset, $0.element.type) })
        fields = RowFields(stream, [])
    }

    var isEmpty: Bool { filters.isEmpty }

    package mutating func insert(_ id: ID, _ filter: RowFilter) {
        filters[id] = filter
        if let box = filter.boxes.first {
            grids[box.columns, default: BoxGrid()].insert(id, box.bounds)
        } else if let choice = filter.choices.first {
            for value in choice.values { choices[choice.column, default: [:]][value, default: []].insert(id) }
        } else {
            others.insert(id)
        }
        count(filter, 1)
    }

    /// Rows are read in the columns that some filter looks at.
    private mutating func count(_ filter: RowFilter, _ change: Int) {
        let before = columns.count
        for column in filter.columns {
            let count = (columns[column] ?? 0) + change
            columns[column] = count > 0 ? count : nil
        }
        if columns.count != before { fields = RowFields(stream, columns.keys) }
    }

    mutating func remove(_ id: ID) {
        guard let filter = filters.removeValue(forKey: id) else { return }
        count(filter, -1)
        if let box = filter.boxes.first {
            grids[box.columns]?.remove(id, box.bounds)
        } else if let choice = filter.choices.first {
            for value in choice.values {
                choices[choice.column]?[value]?.remove(id)
                if choices[choice.column]?[value]?.isEmpty == true { choices[choice.column]?[value] = nil }
            }
            if choices[choice.column]?.isEmpty == true { choices[choice.column] = nil }
        }
        others.remove(id)
    }

    /// Those whose filter lets a row through.
    package func matches(_ json: [UInt8]) -> Set<ID> {
        let row = FilterRow(json, fields, types: types)
        var found: Set<ID> = []
        func consider(_ id: ID) { if filters[id]?.matches(row) == true { found.insert(id) } }
        for (columns, grid) in grids {
            guard let longitude = row.number(columns.longitude), let latitude = row.number(columns.latitude),
                (-180...180).contains(longitude), (-90...90).contains(latitude)
            else { continue }
            grid.forEach(longitude: longitude, latitude: latitude, consider)
        }
        for (column, values) in choices { for id in values[row.text(column)] ?? [] { consider(id) } }
        for id in others { consider(id) }
        return found
    }
}
