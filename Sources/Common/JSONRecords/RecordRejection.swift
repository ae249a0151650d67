/// Why a record becomes a dead letter.
package struct RecordRejection: Error, Equatable {
    /// The stable word in `millrace.dead_letter.reason_code`.
    package enum Code: String, Sendable, CaseIterable {
        case empty
        case notJSON = "not_json"
        case notObject = "not_object"
        case tooLarge = "too_large"
        case missing
        case wrongType = "wrong_type"
        case outOfRange = "out_of_range"
        case tooLong = "too_long"
        case nul
        case badKey = "bad_key"
        /// Postgres refused the row (SQLSTATE class 22, 23 or 54).
        case refused
        case belowMinimum = "below_minimum"
    }

    package let code: Code
    /// For a person: the column and what is wrong with its value, never the value's whole text.
    package let reason: String

    package init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}
