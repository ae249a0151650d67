/// Which rows of a stream a subscriber gets: all of its conditions hold. Equal filters are one group's.
package struct RowFilter: Hashable, Sendable {
    /// A column's value is one of these, as canonical JSON.
    package struct Choice: Hashable, Sendable {
        package var column: Int
        package var values: Set<[UInt8]>

        package init(column: Int, values: Set<[UInt8]>) {
            self.column = column
            self.values = values
        }
    }

    /// A column's value lies between bounds. Null lies nowhere.
    package struct Interval: Hashable, Sendable {
        package var column: Int
        package var lower: Bound?
        package var upper: Bound?

        package init(column: Int, lower: Bound?, upper: Bound?) {
            self.column = column
            self.lower = lower
            self.upper = upper
        }
    }

    package struct Bound: Hashable, Sendable {
        package var value: FilterValue
        package var isInclusive: Bool

        package init(_ value: FilterValue, isInclusive: Bool) {
            self.value = value
            self.isInclusive = isInclusive
        }
    }

    /// The columns of a position.
    package struct Pair: Hashable, Sendable {
        package var longitude: Int
        package var latitude: Int

        package init(longitude: Int, latitude: Int) {
            self.longitude = longitude
            self.latitude = latitude
        }
    }

    package struct Box: Hashable, Sendable {
        package var bounds: BoundingBox
        package var columns: Pair

        package init(_ bounds: BoundingBox, _ columns: Pair) {
            self.bounds = bounds
            self.columns = columns
        }
    }

    /// Sorted by their columns.
    package var choices: [Choice] = []
    package var intervals: [Interval] = []
    package var boxes: [Box] = []

    package init() {}

    package var isEmpty: Bool { choices.isEmpty && intervals.isEmpty && boxes.isEmpty }

    /// The columns that it looks at.
    package var columns: Set<Int> {
        Set(
            choices.map(\.column) + intervals.map(\.column)
                + boxes.flatMap { [$0.columns.longitude, $0.columns.latitude] })
    }

    /// What both let through.
    package func and(_ other: RowFilter) -> RowFilter {
        var both = RowFilter()
        both.choices = (choices + other.choices).sorted { $0.column < $1.column }
        both.intervals = (intervals + other.intervals).sorted { $0.column < $1.column }
        both.boxes = boxes + other.boxes
        return both
    }

    /// - Parameter row: the values of at least its columns.
    package func matches(_ row: FilterRow) -> Bool {
        for choice in choices where !choice.values.contains(row.text(choice.column)) { return false }
        for interval in intervals where !interval.contains(row.value(interval.column)) { return false }
        for box in boxes {
            guard let longitude = row.number(box.columns.longitude),
                let latitude = row.number(box.columns.latitude),
                box.bounds.contains(longitude: longitude, latitude: latitude)
            else { return false }
        }
        return true
    }
}

extension RowFilter.Interval {
    func contains(_ value: FilterValue?) -> Bool {
        guard let value else { return false }
        if let lower, !(lower.value < value || lower.isInclusive && lower.value == value) { return false }
        if let upper, !(value < upper.value || upper.isInclusive && upper.value == value) { return false }
        return true
    }
}
