import Accounts
import Common
import Postgres

/// What other threads tell about users and tokens.
enum AccessEvent: Sendable {
    /// As the coordinator says, or this edge's own settings.
    struct Configuration: Sendable, Equatable {
        var keys: TokenKeys?
        var issuers: [ExternalIssuer]
        var place: UserReader.Place
    }

    /// A user who has proven to be one.
    struct SignedIn: Sendable {
        let user: String
        let state: UserState
        /// Seconds since 1970; of one whose token is renewed, when the password was last given.
        let signedInAt: Int64?
    }

    case configured(Configuration)
    /// Keys of other issuers have changed.
    case issuers
    /// Nil: the password is wrong, there is no such user, or it is disabled: nobody is told which.
    case signedIn(UInt64, Result<SignedIn?, PostgresError>)
    case states(Result<[String: UserState], PostgresError>)
}
