/// Statements sent as one simple query, with the data of their `COPY … FROM STDIN` in order.
///
/// A whole transaction is one script: two waits, and a statement that fails cancels the rest
/// (Postgres documentation, "Multiple Statements in a Simple Query").
package struct Script {
    package var sql: String
    package var copies: [CopyData]

    package init(_ sql: String, copies: [CopyData] = []) {
        self.sql = sql
        self.copies = copies
    }
}
