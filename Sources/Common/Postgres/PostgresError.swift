/// What Postgres or the connection to it answered instead of a result.
package struct PostgresError: Error, Sendable, Equatable {
    package let operation: String
    /// Five characters (Postgres documentation, appendix A); empty when the connection itself failed.
    package let sqlState: String
    package let message: String
    package let detail: String
    /// The table, constraint or column that the server names, when it names one.
    package let constraint: String

    package init(operation: String, sqlState: String, message: String, detail: String = "", constraint: String = "") {
        self.operation = operation
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.constraint = constraint
    }

    /// What is to be done about it: the one place that decides by SQLSTATE.
    package enum Disposition: Sendable, Equatable {
        /// The connection or the server is away: keep what there is and try for as long as it takes.
        case outage
        /// Deadlock or serialization: send the same transaction again.
        case retryTransaction
        /// Some record of the batch can't be stored: find it, the others can.
        case record
        /// Another worker holds a source of the batch (see `millrace.fence`).
        case claimLost
        /// Schema, login or an invariant: the stream stops and says why.
        case stream
    }

    /// Raised by `millrace.fence`.
    package static let claimLostState = "MR001"
    /// Raised when a sum would fall below its column's minimum.
    package static let belowMinimumState = "MR002"

    package var disposition: Disposition {
        switch sqlState {
        case Self.claimLostState: return .claimLost
        case Self.belowMinimumState: return .record
        case "25006", "": return .outage
        // A row of this source and offset is there already although the fence let the batch pass.
        case "23505": return .stream
        default: break
        }
        switch sqlState.prefix(2) {
        case "08", "53", "57", "58": return .outage
        case "40": return .retryTransaction
        case "22", "23", "54": return .record
        default: return .stream
        }
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        let state = sqlState.isEmpty ? "" : " (SQLSTATE \(sqlState))"
        return "\(operation): \(message)\(state)\(detail.isEmpty ? "" : "; \(detail)")"
    }
}
