/// What the database has of a user.
struct UserState: Sendable, Equatable {
    var role: String
    var isDisabled: Bool
    /// Tokens of another version count no more.
    var version: Int64

    /// Of one who is not there.
    static let gone = UserState(role: "", isDisabled: true, version: 0)
}
