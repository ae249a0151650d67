/// How a stream's records become rows.
package enum StreamMode: String, Choice {
    /// Each record is a row; the primary key is (source, offset).
    case append
    /// The newest record of a key is the row.
    case upsert
    /// Numeric columns are added up per key: the mode that only exactly-once makes safe.
    case increment
}
