/// The types a declared column may have, by their Postgres names.
package enum ColumnType: String, Choice {
    case text
    case uuid
    case boolean
    case integer
    case bigint
    case double = "double precision"
    case timestamp = "timestamptz"

    package var isNumeric: Bool {
        switch self {
        case .integer, .bigint, .double: true
        case .text, .uuid, .boolean, .timestamp: false
        }
    }
}
