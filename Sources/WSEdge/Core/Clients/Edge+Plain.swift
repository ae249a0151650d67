import Common
import Foundation
import WebServer

/// Clients without a subprotocol, such as small devices: each text message is a record for the ingest stream, and with
/// `?subscribe=STREAM` each row of that stream is a message. `?ack=true` has each record acknowledged.
extension Edge {
    func openPlain(_ client: EdgeClient) {
        client.hasConnected = true
        guard let name = client.connection.query["subscribe"] else { return }
        if let feed = streams[name] {
            followPlain(client, feed)
        } else if let error = unreadable[name] {
            client.close(1011, error.message)
        } else if !stored.isEmpty, stored[name] == nil {
            client.reply(Self.plainError(unknownStream(name).message))
        }
        // Else it is followed when this edge hears of it.
    }

    func followPlain(_ client: EdgeClient, _ feed: StreamFeed) {
        guard isAllowed(client, .subscribe, feed.stream) else { return }
        let key: GroupKey
        do throws(RequestError) { key = GroupKey(.plain, .log, try mandatoryFilter(client.access, feed.stream)) } catch
        {
            return client.close(4403, error.message)
        }
        let group = group(feed, key)
        join(client, feed, group, LogCursor(from: nil, in: group.log.ring, now: feed.position))
    }

    func receivePlain(_ text: [UInt8], _ client: EdgeClient) {
        let ingest = stored.values.first { $0.stream.topics.contains(BuiltInStreams.ingestTopic) }
        guard let ingest else { return client.reply(Self.plainError("No stream takes records here")) }
        guard isAllowed(client, .publish, ingest.stream) else { return }
        guard client.publishing < limits.publishing else {
            return client.reply(Self.plainError("Too many records wait for Kafka", retryAfter: 500))
        }
        client.publishing += 1
        publish(text[...], to: ingest.stream, topic: BuiltInStreams.ingestTopic, by: client.access) {
            [weak client] result in
            guard let client else { return }
            client.publishing -= 1
            switch result {
            case .success(let place):
                guard client.connection.query["ack"] == "true" else { return }
                client.reply(Array(#"{"ack":{\#(place.json)}}"#.utf8))
            case .failure(let error) where error.code == "bad_record":
                client.reply(Self.plainError("Invalid message format"))
            case .failure(let error): client.reply(Self.plainError(error.message, retryAfter: error.retryAfter))
            }
        }
    }

    private static func plainError(_ text: String, retryAfter: Int? = nil) -> [UInt8] {
        let retry = retryAfter.map { #","retry_after_ms":\#($0)"# } ?? ""
        return Array(#"{"error":\#(ServerMessage.quoted(text))\#(retry)}"#.utf8)
    }
}
