import Accounts
import Common
import Foundation
import Postgres
import WebServer

/// Who may what at an edge: tokens, users that have signed in, limits. On the server's thread; nothing in it waits.
final class EdgeAccess {
    let policy: AccessPolicy
    let limits: AccessLimits
    let inbox: EdgeInbox
    /// Its own, so that nobody who tries passwords delays rows; and one, so that they take one processor at most.
    let threads = ReaderThreads(1, name: "users")
    private let issuerKeys: IssuerKeys
    private var verifier = TokenVerifier()
    var configuration: AccessEvent.Configuration?
    var signIns = SignInLimits()
    var watch: UserWatch
    /// Requests to sign in that wait.
    var waiting: [UInt64: HTTPExchange] = [:]
    var nextNumber: UInt64 = 0
    var failure: String?
    /// Users of open connections, and how many.
    var connected: [String: Int] = [:]

    init(_ settings: EdgeSettings, _ inbox: EdgeInbox) {
        policy = AccessPolicy(isOpen: settings.isOpen, isLoopback: settings.listen.isLoopback)
        limits = settings.access
        self.inbox = inbox
        watch = UserWatch(settings.access)
        issuerKeys = IssuerKeys { [inbox] in inbox.put(.access(.issuers)) }
    }

    var now: Int64 { Int64(Date().timeIntervalSince1970) }

    // MARK: Tokens

    /// - Parameter token: as it came.
    func access(with token: String) throws(RequestError) -> Access {
        let claims: TokenClaims
        do throws(TokenError) {
            claims = try verifier.verify(token, at: now)
        } catch {
            // An issuer may have a new key, or has not been heard yet.
            if error == .unknownKey, let issuer = TokenVerifier.claimedIssuer(of: token), issuerKeys.want(issuer) {
                throw RequestError(
                    code: "unavailable", message: "the keys of the token's issuer are being read", retryAfter: 1000)
            }
            if configuration == nil {
                throw RequestError(
                    code: "unavailable", message: "this edge has not heard of its fleet yet", retryAfter: 1000)
            }
            throw .unauthorized(error.description)
        }
        guard claims.issuer == nil else { return Access(claims: claims, role: claims.role) }
        watch.heard(claims.user, at: .now) { connected[$0] != nil }
        return try current(Access(claims: claims, role: claims.role))
    }

    /// What a token of ours is worth now, as far as is known.
    func current(_ access: Access) throws(RequestError) -> Access {
        guard let claims = access.claims else { return access }
        guard now < claims.expiresAt + TokenVerifier.leeway else { throw .unauthorized("the token has expired") }
        guard let user = access.ownUser, let state = watch.state(of: user) else { return access }
        guard !state.isDisabled, state.version == claims.version else {
            throw .unauthorized("the token counts no more; sign in again")
        }
        return Access(claims: claims, role: state.role)
    }

    func opened(_ access: Access) {
        if let user = access.ownUser { connected[user, default: 0] += 1 }
    }

    func closed(_ access: Access) {
        guard let user = access.ownUser, let count = connected[user] else { return }
        connected[user] = count > 1 ? count - 1 : nil
    }

    // MARK: What is told and asked

    func take(_ event: AccessEvent) {
        switch event {
        case .configured(let new):
            configuration = new
            verifier.own = new.keys
            issuerKeys.use(new.issuers)
            verifier.issuers = issuerKeys.issuers
        case .issuers: verifier.issuers = issuerKeys.issuers
        case .signedIn(let number, let result): answer(number, result)
        case .states(.success(let states)):
            failure = nil
            watch.answered(states)
        case .states(.failure(let error)):
            watch.answered(nil)
            tell(error)
        }
    }

    /// Once a second.
    func ticked() {
        guard let configuration, configuration.keys != nil,
            let names = watch.question(at: .now, isConnected: { connected[$0] != nil })
        else { return }
        let place = configuration.place
        threads.ask { [inbox] readers in
            inbox.put(
                .access(.states(Result { () throws(PostgresError) in try readers.users.states(names, at: place) })))
        }
    }

    /// Once, while it stays the same.
    func tell(_ error: PostgresError) {
        let text = "\(error)"
        guard failure != text else { return }
        failure = text
        let hint =
            error.sqlState == "42501" ? "; `coordinator init-db --print` ends with what an edge's role needs" : ""
        Log.standard.say("users can't be read: \(error)\(hint)", .warning)
    }
}
