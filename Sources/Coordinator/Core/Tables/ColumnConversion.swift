import Common

/// How a column of one type becomes one of another without losing anything, if it can. Types as `information_schema`
/// calls them.
struct ColumnConversion {
    /// Behind the column's name; nil where values would be lost or refused.
    let expression: String?
    /// What has to be true for it.
    let note: String
    /// What to do instead.
    let advice: String

    init(from: String, to: String) {
        let wider: [String: Set<String>] = [
            "bigint": ["smallint", "integer"], "integer": ["smallint"],
            "double precision": ["real", "smallint", "integer"],
            "text": ["character varying", "uuid", "boolean", "smallint", "integer", "bigint"],
        ]
        let isMoment = from == "timestamp without time zone" && to == "timestamp with time zone"
        expression = isMoment ? " AT TIME ZONE 'UTC'" : wider[to]?.contains(from) == true ? "::\(to)" : nil
        note = isMoment ? " (what mends it is right if its values are UTC)" : ""
        let own = ColumnType.allCases.first { Self.fullName($0.rawValue) == from }
        advice =
            own.map {
                "declare it as '\($0.rawValue)' in the stream, or give the stream's column another name, with from"
            }
            ?? "no column of a stream has that type: give the stream's column another name, with from"
    }

    static func fullName(_ type: String) -> String {
        type == ColumnType.timestamp.rawValue ? "timestamp with time zone" : type
    }
}
