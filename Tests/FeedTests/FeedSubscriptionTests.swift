import Common
import Feed
import Foundation
import Schema
import Testing
import ZeroMQ

@Suite("A subscription to workers' feeds", .timeLimit(.minutes(1)))
struct FeedSubscriptionTests {
    @Test("A worker of another version is noticed, and nothing of its messages is taken for rows")
    func foreignVersion() throws {
        let context = Context()
        let endpoint = "ipc:///tmp/mr-feed-\(UUID().uuidString.prefix(8))"
        let worker = try Socket(.watchingPublisher, in: context)
        try worker.bind(endpoint)
        let stream = StreamDefinition(name: "s", topics: ["t"], mode: .append, columns: [Column("n", .bigint)])
        let subscription = FeedSubscription(
            StoredStream(stream, schema: MillraceSchema(), database: [:]), credentials: nil, in: context)
        try subscription.connect([.init(shard: 0, endpoint: endpoint)], at: .now)
        // Who publishes before somebody has subscribed publishes for nobody.
        while try worker.receive() == nil {}
        var writer = ByteWriter()
        FeedMessage.writeHeader(shard: 0, committedAt: 0, spans: [], rowCount: 0, to: &writer)
        #expect(writer.bytes.first == FeedMessage.version)
        _ = try worker.send([FeedMessage.topic("s"), [FeedMessage.version + 1] + writer.bytes.dropFirst()])
        while subscription.foreignVersion == nil {
            try subscription.receive(at: .now) { Issue.record("\($0) was delivered") }
        }
        #expect(subscription.foreignVersion == FeedMessage.version + 1)
    }
}
