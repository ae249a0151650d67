import Accounts
import Foundation
import WebServer

/// What `POST /v1/token` is sent: a user's name and password, as JSON or as a form; or nothing, to renew the token that the
/// request carries.
enum SignInRequest {
    case password(user: String, password: String)
    case renewal

    private struct Credentials: Decodable {
        var username: String
        var password: String
    }

    init(_ request: HTTPRequest) throws(RequestError) {
        guard !request.body.isEmpty else {
            self = .renewal
            return
        }
        let isForm = request.contentType?.hasPrefix("application/x-www-form-urlencoded") == true
        guard let given = isForm ? Self.form(request.body) : Self.json(request.body), !given.username.isEmpty else {
            throw RequestError(
                code: "bad_request",
                message: "send {\"username\":\"…\",\"password\":\"…\"}, or a form with these fields")
        }
        // Nobody has such a name, and attempts are counted by it.
        if let problem = AccountRules.problem(ofUser: given.username) {
            throw RequestError(code: "bad_request", message: problem)
        }
        // What no password can be would only cost time.
        guard given.password.utf8.count <= AccountRules.passwordByteLimit else {
            throw RequestError(code: "bad_request", message: "the password is too long")
        }
        self = .password(user: given.username, password: given.password)
    }

    private static func json(_ body: [UInt8]) -> Credentials? {
        try? JSONDecoder().decode(Credentials.self, from: Data(body))
    }

    private static func form(_ body: [UInt8]) -> Credentials? {
        var fields: [String: String] = [:]
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let values = parts.map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let name = values.first ?? nil, let value = values.count > 1 ? values[1] : "" else { return nil }
            fields[name] = value
        }
        guard let username = fields["username"], let password = fields["password"] else { return nil }
        return Credentials(username: username, password: password)
    }
}
