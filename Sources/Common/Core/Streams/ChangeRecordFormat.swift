/// Records that are changes of another database's rows, rather than rows.
package enum ChangeRecordFormat: String, Choice {
    /// Debezium's envelope: `op` c (created), r (read in a snapshot), u (updated) or d (deleted), with the row `before`
    /// and `after`; with `schema` and `payload` around it or without.
    case debezium
}
