import Common

/// Where a client wants to go on, and with which request it said so.
struct ResumeRequest: Sendable {
    let request: RequestID
    let epoch: String
    let position: [SourceID: Int64]
}
