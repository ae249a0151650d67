import Common
import WebServer

/// `GET /v1/streams/S/events`: a subscription for clients without WebSockets. They are clients like others, of which each has one
/// subscription, and whose messages are framed as Server-Sent Events.
extension Edge {
    func openEvents(_ exchange: HTTPExchange) {
        let request = exchange.request
        var headers: [String: String] = [:]
        if let origin = request.allowedOrigin { headers = ["access-control-allow-origin": origin, "vary": "origin"] }
        do throws(RequestError) {
            guard drainDeadline == nil else {
                throw RequestError(code: "unavailable", message: "this edge is draining", retryAfter: 1000)
            }
            let (access, plan) = try eventsPlan(request)
            exchange.openEvents(self, headers: headers) { [unowned self] connection in
                let client = add(connection)
                become(access, client)
                client.hasConnected = true
                do throws(RequestError) { try begin(client, plan, .none) } catch {
                    client.refuse(ServerMessage.error(id: RequestID.none, error), error)
                }
            }
        } catch {
            exchange.respond(Self.eventsRefusal(error, headers))
        }
    }

    private func eventsPlan(_ request: HTTPRequest) throws(RequestError) -> (Access, SubscriptionPlan) {
        let access = try access(authorization: request.authorization, query: request.query, takesQuery: true)
        do throws(RequestError) {
            return (access, try plan(try ClientRequest(events: request), .events, access))
        } catch {
            // Whoever is nobody may become somebody (RFC 9110, section 15.5.2).
            throw access.user == nil && error.code == "forbidden" ? .unauthorized(error.message) : error
        }
    }

    /// Browsers give up for good after any status but 200: what may be had later is answered with a stream that ends.
    private static func eventsRefusal(_ error: RequestError, _ headers: [String: String]) -> HTTPResponse {
        var response: HTTPResponse
        if let retryAfter = error.retryAfter {
            var text = EventText()
            text.add(retryAfter: retryAfter)
            text.add(ServerMessage.error(id: RequestID.none, error))
            response = HTTPResponse(200, contentType: "text/event-stream", body: text.bytes)
            response.headers["cache-control"] = "no-store"
        } else {
            response = refusal(error)
        }
        response.headers.merge(headers) { $1 }
        return response
    }
}
