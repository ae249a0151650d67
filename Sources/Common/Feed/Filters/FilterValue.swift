/// A value that is compared with others of its column.
package enum FilterValue: Hashable, Sendable {
    case integer(Int64)
    case double(Double)
    /// Texts by their bytes, as Postgres's collation C does; times in their canonical form have the order of time.
    case text([UInt8])

    package static func < (one: FilterValue, other: FilterValue) -> Bool {
        switch (one, other) {
        case (.integer(let one), .integer(let other)): one < other
        case (.double(let one), .double(let other)): one < other
        case (.text(let one), .text(let other)): one.lexicographicallyPrecedes(other)
        default: false
        }
    }
}
