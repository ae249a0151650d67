/// What Postgres or the connection to it answered instead of a result.
package struct PostgresError: Error, Sendable, Equatable {
    package let operation: String
    /// Five characters (Postgres documentation, appendix A); empty when the connection itself failed.
    package let sqlState: String
    package let message: String
    package let detail: String
    /// The constraint that the server names, when it names one.
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
        /// The server ended the statement, since it took too long (statement_timeout): a shorter one may do.
        case timeout
        /// The table has triggers by now: what is stored is not what was sent (see `millrace.require_plain`).
        case tableChanged
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

    /// Raised when a table that had no triggers has some.
    package static let triggerState = "MR003"
    /// Raised when a table holds fewer rows of a run than were sent.
    package static let missingRowsState = "MR004"

    package var disposition: Disposition {
        switch sqlState {
        case Self.claimLostState: return .claimLost
        case Self.belowMinimumState: return .record
        case Self.triggerState: return .tableChanged
        case Self.missingRowsState: return .record
        case "57014": return .timeout
        case "25006", "": return .outage
        case "23505": return isBrokenInvariant ? .stream : .record
        default: break
        }
        switch sqlState.prefix(2) {
        case "08", "53", "57", "58": return .outage
        case "40": return .retryTransaction
        // 21: two keys of a batch that Postgres holds for the same (a collation decides): halved, each is one row.
        case "21", "22", "23", "54": return .record
        // What the user's own triggers and functions raise.
        case "P0", "09", "38", "39": return .record
        default: return isOfNoClass ? .record : .stream
        }
    }

    /// Asked again, a reader would be answered the same until somebody mends it.
    package var isLasting: Bool {
        switch disposition {
        case .outage, .retryTransaction: false
        case .record, .timeout, .claimLost, .tableChanged, .stream: true
        }
    }

    /// A row of this source and offset is there already although the fence let the batch pass. Any other unique index
    /// is the user's own. What the key is stands in the detail, in every language; a role that may not read the table
    /// is not told it, and then the name that Postgres gives to primary keys has to do.
    private var isBrokenInvariant: Bool {
        guard detail.isEmpty else {
            return detail.contains("(source_id, source_offset)=") || detail.contains("(source_id, from_offset)=")
        }
        return constraint.isEmpty || constraint.hasSuffix("_pkey")
    }

    /// Neither SQL's nor Postgres's own classes (Postgres documentation, appendix A), so only somebody's RAISE … USING
    /// ERRCODE makes it. Those of the standard begin with 0 to 4 or A to H.
    private var isOfNoClass: Bool {
        guard let first = sqlState.unicodeScalars.first, sqlState.utf8.count == 5 else { return false }
        let isStandard = ("0"..."4").contains(first) || ("A"..."H").contains(first)
        return !isStandard && !["53", "54", "55", "57", "58", "72", "P0", "XX", "MR"].contains(sqlState.prefix(2))
    }

    /// For a dead letter: what Postgres has against the row, in its words.
    package var reason: String {
        "Postgres refused the row: \(message)\(detail.isEmpty ? "" : "; \(detail)")\(sqlState.isEmpty ? "" : " (SQLSTATE \(sqlState))")"
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        let state = sqlState.isEmpty ? "" : " (SQLSTATE \(sqlState))"
        return "\(operation): \(message)\(state)\(detail.isEmpty ? "" : "; \(detail)")"
    }
}
