import Accounts
import Common
import Foundation
import Postgres
import WebServer

/// Who may what at an edge: tokens, users that have signed in, limits. On the server's thread; nothing in it waits.
final class EdgeAccess {
    let policy: AccessPolicy
    let limits: AccessLimits
    private let inbox: EdgeInbox
    /// Its own, so that nobody who tries passwords delays rows; and one, so that they take one processor at most.
    private let threads = ReaderThreads(1, name: "users")
    private let issuerKeys: IssuerKeys
    private var verifier = TokenVerifier()
    private var configuration: AccessEvent.Configuration?
    private var signIns = SignInLimits()
    private var watch: UserWatch
    /// Requests to sign in that wait.
    private var waiting: [UInt64: HTTPExchange] = [:]
    private var nextNumber: UInt64 = 0
    private var failure: String?
    /// Users of open connections, and how many.
    private var connected: [String: Int] = [:]

    init(_ settings: EdgeSettings, _ inbox: EdgeInbox) {
        policy = AccessPolicy(isOpen: settings.isOpen, isLoopback: settings.listen.isLoopback)
        limits = settings.access
        self.inbox = inbox
        watch = UserWatch(settings.access)
        issuerKeys = IssuerKeys { [inbox] in inbox.put(.access(.issuers)) }
    }

    private var now: Int64 { Int64(Date().timeIntervalSince1970) }

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

    // MARK: Signing in

    func signIn(_ exchange: HTTPExchange) {
        do throws(RequestError) {
            let request = try SignInRequest(exchange.request)
            let place = try signInPlace()
            switch request {
            case .password(let user, let password):
                try admit(user, exchange)
                let number = wait(for: exchange)
                threads.ask { [inbox] readers in
                    let result = Result { () throws(PostgresError) in
                        let login = try readers.users.login(user, at: place)
                        // As much work, whoever it is.
                        let isRight = PasswordHash.check(password, of: login.flatMap { PasswordHash(text: $0.hash) })
                        guard isRight, let state = login?.state, !state.isDisabled else {
                            return AccessEvent.SignedIn?.none
                        }
                        return AccessEvent.SignedIn(user: user, state: state, signedInAt: nil)
                    }
                    inbox.put(.access(.signedIn(number, result)))
                }
            case .renewal: try renew(exchange, place)
            }
        } catch {
            exchange.respond(Edge.refusal(error))
        }
    }

    /// Somebody who has signed in stays so, for as long as the user may.
    private func renew(_ exchange: HTTPExchange, _ place: UserReader.Place) throws(RequestError) {
        guard let token = BearerToken(exchange.request.authorization)?.text else {
            throw RequestError(
                code: "bad_request",
                message: "send {\"username\":\"…\",\"password\":\"…\"}, or a token of this fleet's to renew it")
        }
        let access = try access(with: token)
        guard let user = access.ownUser, let claims = access.claims else {
            throw RequestError(code: "bad_request", message: "a token of another issuer is renewed there")
        }
        guard now - claims.signedInAt < limits.sessionSeconds else {
            throw .unauthorized("it has been long since the password was given; sign in again")
        }
        try admit(nil, exchange)
        let number = wait(for: exchange)
        threads.ask { [inbox] readers in
            let result = Result { () throws(PostgresError) in
                guard let state = try readers.users.states([user], at: place)[user], !state.isDisabled,
                    state.version == claims.version
                else { return AccessEvent.SignedIn?.none }
                return AccessEvent.SignedIn(user: user, state: state, signedInAt: claims.signedInAt)
            }
            inbox.put(.access(.signedIn(number, result)))
        }
    }

    private func signInPlace() throws(RequestError) -> UserReader.Place {
        guard let configuration else {
            throw RequestError(
                code: "unavailable", message: "this edge has not heard of its fleet yet", retryAfter: 1000)
        }
        guard configuration.keys != nil else {
            throw RequestError(
                code: "unsupported", message: "this edge has no keys for tokens; it takes those of other issuers only")
        }
        return configuration.place
    }

    private func admit(_ user: String?, _ exchange: HTTPExchange) throws(RequestError) {
        guard waiting.count < limits.waitingSignIns else {
            throw RequestError(code: "overloaded", message: "too many sign in now", retryAfter: 2000)
        }
        guard let pause = signIns.admit(user, from: exchange.request.address, at: .now) else { return }
        throw RequestError(
            code: "rate_limited", message: "too many tries to sign in",
            retryAfter: Int((pause / .milliseconds(1)).rounded(.up)))
    }

    private func wait(for exchange: HTTPExchange) -> UInt64 {
        let number = nextNumber
        nextNumber += 1
        waiting[number] = exchange
        exchange.forgetBody()
        return number
    }

    private func answer(_ number: UInt64, _ result: Result<AccessEvent.SignedIn?, PostgresError>) {
        guard let exchange = waiting.removeValue(forKey: number) else { return }
        switch result {
        case .failure(let error):
            tell(error)
            exchange.respond(
                Edge.refusal(.init(code: "unavailable", message: "users can't be read now", retryAfter: 2000)))
        case .success(nil):
            exchange.respond(Edge.refusal(.unauthorized("the user name or the password is wrong")))
        case .success(let user?):
            failure = nil
            signIns.succeeded(user.user)
            watch.heard(user.user, at: .now) { connected[$0] != nil }
            watch.learned(user.user, user.state)
            exchange.respond(token(for: user))
        }
    }

    private func token(for user: AccessEvent.SignedIn) -> HTTPResponse {
        let now = now
        let claims = TokenClaims(
            user: user.user, role: user.state.role, issuedAt: now, expiresAt: now + limits.tokenSeconds,
            signedInAt: user.signedInAt ?? now, version: user.state.version)
        guard let keys = configuration?.keys, let token = TokenSigner(keys).token(claims) else {
            return Edge.refusal(.init(code: "unavailable", message: "tokens can't be made now", retryAfter: 2000))
        }
        let text = """
            {"token":"\(token)","token_type":"Bearer","expires_in":\(limits.tokenSeconds),\
            "user":\(ServerMessage.quoted(user.user)),"role":\(ServerMessage.quoted(user.state.role))}
            """
        return .json(200, Array(text.utf8), headers: ["cache-control": "no-store"])
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
    private func tell(_ error: PostgresError) {
        let text = "\(error)"
        guard failure != text else { return }
        failure = text
        let hint =
            error.sqlState == "42501" ? "; `coordinator init-db --print` ends with what an edge's role needs" : ""
        Log.standard.say("users can't be read: \(error)\(hint)", .warning)
    }
}
