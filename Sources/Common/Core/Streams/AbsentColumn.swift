/// A column whose field no record of many had: perhaps its name is another one.
package struct AbsentColumn: Hashable, Sendable, Codable {
    package var column: String
    /// The path at which its value was looked for.
    package var from: String
    /// Fields of a record, without columns, that may be meant.
    package var near: [String]

    package init(column: String, from: String, near: [String]) {
        self.column = column
        self.from = from
        self.near = near
    }
}

extension AbsentColumn: CustomStringConvertible {
    package var description: String {
        let asked = from == ColumnOrigin.escaped(column) ? "" : " ('\(from)')"
        let hint = near.isEmpty ? "" : "; near: \(near.map { "'\($0)'" }.joined(separator: ", "))"
        return "column \(column)\(asked)\(hint)"
    }
}
