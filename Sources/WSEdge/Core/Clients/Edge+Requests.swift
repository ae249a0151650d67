import Common
import Feed
import Foundation
import Postgres

/// What clients ask for.
extension Edge {
    func serve(_ text: [UInt8], _ client: EdgeClient) {
        var id: RequestID?
        do throws(RequestError) {
            let (request, known) = try ClientRequest.parse(text, &id)
            switch request.type {
            case "connect": try connect(request, known, client)
            case _ where !client.hasConnected:
                throw RequestError(code: "not_connected", message: "the first message is 'connect'")
            case "subscribe": try subscribe(request, known, client)
            case "update": try update(request, known, client)
            case "unsubscribe": try unsubscribe(request, known, client)
            case "publish": try publish(request, known, text, client)
            default: throw RequestError(code: "bad_request", message: "there is no request '\(request.type)'")
            }
        } catch {
            client.reply(ServerMessage.error(id: id, error))
        }
    }

    private func publish(
        _ request: ClientRequest, _ id: RequestID, _ text: [UInt8], _ client: EdgeClient
    ) throws(RequestError) {
        try authorize(client, .publish, request.stream)
        let stream = try publishable(request.stream)
        guard let data = JSONText(text).member("data") else {
            throw RequestError(code: "bad_request", message: "'data' is the record, a JSON object")
        }
        guard client.publishing < limits.publishing else {
            throw RequestError(
                code: "overloaded", message: "at most \(limits.publishing) records of a connection wait for Kafka",
                retryAfter: 500)
        }
        client.publishing += 1
        publish(data, key: request.key.map { Array($0.utf8) }, to: stream, by: client.access) { [weak client] result in
            guard let client else { return }
            client.publishing -= 1
            switch result {
            case .success(let place): client.reply(ServerMessage.acknowledged(id: id, place))
            case .failure(let error): client.reply(ServerMessage.error(id: id, error))
            }
        }
    }

    func unknownStream(_ name: String?) -> RequestError {
        guard !stored.isEmpty else {
            return RequestError(
                code: "unavailable", message: "this edge has not heard of the fleet's streams yet", retryAfter: 1000)
        }
        let name = name.map { String($0.prefix(100)) } ?? ""
        let near = NearNames.of(name, among: stored.keys)
        let known = near.isEmpty ? stored.keys.sorted().prefix(20).map { $0 } : near
        let which = near.isEmpty ? "there are" : "did you mean"
        return RequestError(
            code: "unknown_stream", message: "there is no stream '\(name)'; \(which): \(known.joined(separator: ", "))")
    }

    private func unsubscribe(
        _ request: ClientRequest, _ id: RequestID, _ client: EdgeClient
    ) throws(RequestError) {
        guard let sub = request.sub, let subscription = client.subscriptions.removeValue(forKey: sub) else {
            throw Self.noSubscription
        }
        leave(client, subscription)
        client.reply(ServerMessage.unsubscribed(id: id, sub: sub))
    }
}
