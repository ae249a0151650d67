/// The types a declared column may have, by their Postgres names.
package enum ColumnType: String, Choice {
    case text
    case uuid
    case boolean
    case integer
    case bigint
    case double = "double precision"
    case timestamp = "timestamptz"

    /// By the case: what enums with a raw value have compares their texts.
    package static func == (left: ColumnType, right: ColumnType) -> Bool { left.place == right.place }

    private var place: Int {
        switch self {
        case .text: 0
        case .uuid: 1
        case .boolean: 2
        case .integer: 3
        case .bigint: 4
        case .double: 5
        case .timestamp: 6
        }
    }

    package var isNumeric: Bool {
        switch self {
        case .integer, .bigint, .double: true
        case .text, .uuid, .boolean, .timestamp: false
        }
    }
}
