import Accounts
import Common
import Postgres
import WebServer

/// `POST /v1/token`: a password, or a token that is to be renewed, becomes a token.
extension EdgeAccess {
    func signIn(_ exchange: HTTPExchange) {
        do throws(RequestError) {
            let request = try SignInRequest(exchange.request)
            let place = try signInPlace()
            switch request {
            case .password(let user, let password):
                try admit(signIns.admit(user, from: exchange.request.address, at: .now))
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
        try admit(signIns.admitRenewal(of: user, at: .now))
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

    /// - Parameter pause: how long to wait instead.
    private func admit(_ pause: @autoclosure () -> Duration?) throws(RequestError) {
        guard waiting.count < limits.waitingSignIns else {
            throw RequestError(code: "overloaded", message: "too many sign in now", retryAfter: 2000)
        }
        guard let pause = pause() else { return }
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

    func answer(_ number: UInt64, _ result: Result<AccessEvent.SignedIn?, PostgresError>) {
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
}
