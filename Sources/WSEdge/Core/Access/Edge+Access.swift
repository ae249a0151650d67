import Common
import Feed
import Foundation
import WebServer

/// Who may what: asked before anything is done.
extension Edge {
    /// - Throws: `forbidden`, or over HTTP `unauthorized`, where the role may not.
    func authorize(
        _ client: EdgeClient, _ action: AccessPolicy.Action, _ stream: String?
    ) throws(RequestError) {
        try authorize(client.access, action, stream)
    }

    func authorize(
        _ exchange: HTTPExchange, _ action: AccessPolicy.Action, _ stream: String
    ) throws(RequestError) -> Access {
        let access = try access(of: exchange.request)
        do throws(RequestError) {
            try authorize(access, action, stream)
        } catch {
            // Whoever is nobody may become somebody (RFC 9110, section 15.5.2).
            throw access.user == nil && error.code == "forbidden" ? .unauthorized(error.message) : error
        }
        return access
    }

    /// Streams that whoever asks may read.
    func readable(_ exchange: HTTPExchange) throws(RequestError) -> [StreamDefinition] {
        let access = try access(of: exchange.request)
        return stored.values.map(\.stream).filter { self.access.policy.allows(.subscribe, $0, role: access.role) }
    }

    /// Streams that there are not are told to those only who may read most.
    func authorize(
        _ access: Access, _ action: AccessPolicy.Action, _ stream: String?
    ) throws(RequestError) {
        let definition = stream.flatMap { stored[$0]?.stream }
        let asked = definition ?? StreamDefinition(name: "", topics: [], mode: .append, columns: [])
        guard self.access.policy.allows(action, asked, role: access.role) else {
            throw .forbidden(action, definition?.name, access)
        }
    }

    /// What a token lets its bearer see of a stream, whatever they ask for.
    ///
    /// - Throws: `forbidden`, where the token's filter is none of this stream: then nothing is seen.
    func mandatoryFilter(_ access: Access, _ stream: StreamDefinition) throws(RequestError) -> RowFilter {
        guard let text = access.filter(of: stream.name) else { return RowFilter() }
        let conditions = try? JSONDecoder().decode([String: FilterRequest.Condition].self, from: Data(text))
        let request = conditions.map { FilterRequest(conditions: $0, box: nil) }
        do throws(RequestError) {
            if let request { return try request.filter(stream) }
        } catch {}
        throw RequestError(code: "forbidden", message: "the token's filter for \(stream.name) can't be meant")
    }

    // MARK: Tokens

    /// - Throws: `unauthorized`, where there is a token that doesn't count.
    private func access(of request: HTTPRequest) throws(RequestError) -> Access {
        guard let token = BearerToken(request.authorization) else { return .nobody }
        return try access.access(with: token.text)
    }

    /// - Parameter takesQuery: the address may hold it: a browser can't say it otherwise, nor can small devices.
    func access(
        authorization: String?, query: [String: String], takesQuery: Bool
    ) throws(RequestError) -> Access {
        guard let token = BearerToken(authorization)?.text ?? (takesQuery ? query["token"] : nil) else {
            return .nobody
        }
        return try access.access(with: token)
    }

    /// Why a WebSocket is not opened.
    func accessRefusal(of request: HTTPRequest) -> HTTPResponse? {
        do throws(RequestError) {
            _ = try access(
                authorization: request.authorization, query: request.query, takesQuery: request.subprotocols.isEmpty)
            return nil
        } catch {
            return Self.refusal(error)
        }
    }

    /// A new connection with the token that its request carried.
    func admit(_ client: EdgeClient) {
        let connection = client.connection
        let found = try? access(
            authorization: connection.authorization, query: connection.query, takesQuery: client.isPlain)
        guard let found else { return client.close(4401, "the token counts no more") }
        become(found, client)
    }

    /// `connect`: the first, or another that brings a new token.
    func connect(_ request: ClientRequest, _ id: RequestID, _ client: EdgeClient) throws(RequestError) {
        if let token = request.token {
            do throws(RequestError) {
                let new = try access.access(with: token)
                guard client.access.user == nil || isSame(client.access, new) else {
                    throw RequestError(code: "forbidden", message: "a connection stays with its user; open another")
                }
                let old = client.access
                become(new, client)
                endOthers(client, than: old)
            } catch {
                // What comes with a token that doesn't count must not go on as somebody else.
                if error.code == "unauthorized", !client.hasConnected { client.close(4401, error.message) }
                throw error
            }
        }
        client.hasConnected = true
        client.reply(ServerMessage.connected(id: id, limits, client.access))
    }

    /// What another token lets its bearer see is asked for anew.
    private func endOthers(_ client: EdgeClient, than old: Access) {
        func isOther(_ stream: String) -> Bool { old.filter(of: stream) != client.access.filter(of: stream) }
        guard !client.opening.contains(where: { isOther($0.stream) }) else {
            return client.close(4401, "the token shows other rows; connect again")
        }
        for (sub, subscription) in client.subscriptions where isOther(subscription.feed.stream.name) {
            let name = subscription.feed.stream.name
            end(
                client, sub,
                RequestError(code: "forbidden", message: "the token shows other rows of \(name); subscribe again"))
        }
    }

    private func isSame(_ old: Access, _ new: Access) -> Bool {
        old.user == new.user && old.claims?.issuer == new.claims?.issuer
    }

    func become(_ new: Access, _ client: EdgeClient) {
        access.closed(client.access)
        client.access = new
        access.opened(new)
    }

    /// In plain mode nobody asks: what may not be ends the connection.
    func isAllowed(_ client: EdgeClient, _ action: AccessPolicy.Action, _ stream: StreamDefinition) -> Bool {
        do throws(RequestError) {
            try authorize(client, action, stream.name)
            return true
        } catch {
            client.close(error.code == "forbidden" ? 4403 : 4400, error.message)
            return false
        }
    }

    // MARK: Time

    /// Tokens that have expired, users that were disabled, roles that have changed.
    func checkAccess() {
        access.ticked()
        for client in clients.values where client.access.claims != nil && !client.isClosing {
            do throws(RequestError) {
                client.access = try access.current(client.access)
            } catch {
                // Others are told with the connection's end.
                if client.form == .events { client.reply(ServerMessage.error(id: nil, error)) }
                client.close(4401, error.message)
            }
        }
    }
}

extension RequestError {
    /// There is a token that doesn't count, or over HTTP none.
    static func unauthorized(_ message: String) -> RequestError { RequestError(code: "unauthorized", message: message) }

    static func forbidden(_ action: AccessPolicy.Action, _ stream: String?, _ access: Access) -> RequestError {
        let what =
            "\(action == .subscribe ? "read" : "publish to") \(stream.map { "the stream \($0)" } ?? "this stream")"
        guard let role = access.role else {
            return RequestError(code: "forbidden", message: "sign in to \(what)")
        }
        return RequestError(code: "forbidden", message: "the role \(role) may not \(what)")
    }
}
