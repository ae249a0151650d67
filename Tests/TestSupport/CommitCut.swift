/// Where a proxy cuts a connection on which a transaction is to be committed. The client sees the same each time: the
/// connection was lost while it waited for COMMIT's answer.
package enum CommitCut: String, CaseIterable, Sendable {
    /// Before the server has what it needs to get to COMMIT: the transaction is rolled back.
    case commitWithheld
    /// After the server has said that it has committed, without passing that on.
    case answerWithheld
    /// As soon as the server has everything, without waiting for it: the client may come back before COMMIT is done.
    case answerNotAwaited
}
