/// The streams that are there without any configuration.
package enum BuiltInStreams {
    /// The topic into which an edge puts what plain-mode clients send.
    package static let ingestTopic = "ws_incoming"

    /// - Parameter trafficTopic: the first topic of `traffic_data` (TRAFFIC_TOPIC).
    package static func all(trafficTopic: String = "traffic_data") -> [StreamDefinition] {
        [traffic(topic: trafficTopic), stocks]
    }

    private static func traffic(topic: String) -> StreamDefinition {
        StreamDefinition(
            name: "traffic_data", topics: [topic, ingestTopic], mode: .append, key: ["stream_id"], latest: true,
            columns: [
                Column("timestamp", .timestamp, required: true, coerce: true),
                Column("stream_id", .uuid, required: true),
                Column("location", .text),
                Column("longitude", .double, required: true, min: -180, max: 180, coerce: true),
                Column("latitude", .double, required: true, min: -90, max: 90, coerce: true),
                Column("numbers_of_cars", .integer, required: true, min: 0, coerce: true),
                Column("label", .text),
                Column("type", .text),
            ])
    }

    private static let stocks = StreamDefinition(
        name: "stocks", topics: ["stocks"], mode: .increment, key: ["sku"], increments: ["quantity"],
        columns: [
            Column("sku", .text, required: true, maxLength: 200),
            Column("name", .text),
            Column("quantity", .bigint, required: true, min: 0),
        ])
}
