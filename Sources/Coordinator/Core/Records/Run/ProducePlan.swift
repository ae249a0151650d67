internal import Common
internal import JSONRecords
internal import Kafka

/// What a run is to do, once everything that can be known before is in order.
struct ProducePlan {
    let source: any RecordSource
    /// Properties of the producer.
    let kafka: [String: String]

    /// Milliseconds; librdkafka's own would be five minutes, which nobody waits for at a prompt.
    private static let deliveryTimeout = "30000"
    private static let timeoutNames = ["delivery.timeout.ms", "message.timeout.ms"]
    /// librdkafka's message.max.bytes.
    private static let recordByteLimit = 1_000_000

    var deliveryTimeout: String { Self.timeoutNames.lazy.compactMap { kafka[$0] }.first ?? Self.deliveryTimeout }

    init(_ configuration: CoordinatorConfiguration, _ options: ProduceOptions) throws(StartError) {
        let streams = try Self.streams(configuration.streams, options)
        var kafka = configuration.kafka
        if !Self.timeoutNames.contains(where: { kafka[$0] != nil }) {
            kafka[Self.timeoutNames[0]] = Self.deliveryTimeout
        }
        self.kafka = kafka
        source = try Self.source(streams, options, kafka)
        try Self.requireTopics(of: streams, kafka)
    }

    private static func streams(
        _ all: [StreamDefinition], _ options: ProduceOptions
    ) throws(StartError) -> [StreamDefinition] {
        var names = options.streams
        if names.isEmpty {
            let candidates = options.file == nil ? all.filter { SimulatedRecords.streamNames.contains($0.name) } : all
            guard !candidates.isEmpty, options.file == nil || candidates.count == 1 else {
                throw StartError(
                    options.file == nil
                        ? "no stream of the configuration can be made up: name one, and give its records by --file"
                        : "--file needs a stream: \(all.map(\.name).joined(separator: ", "))", .usage)
            }
            names = candidates.map(\.name)
        }
        var streams: [StreamDefinition] = []
        for name in names {
            guard let stream = all.first(where: { $0.name == name }) else {
                throw StartError(
                    "there is no stream '\(name)'; there are \(all.map(\.name).joined(separator: ", "))", .usage)
            }
            if options.file == nil { try requireSimulated(stream, options.seed) }
            streams.append(stream)
        }
        guard options.file == nil || streams.count == 1 else { throw StartError("--file is for one stream", .usage) }
        return streams
    }

    /// A configured stream may have a built-in one's name, and other columns.
    private static func requireSimulated(_ stream: StreamDefinition, _ seed: UInt64) throws(StartError) {
        guard SimulatedRecords.streamNames.contains(stream.name) else {
            throw StartError(
                "records of stream '\(stream.name)' can't be made up; give them by --file FILE, or - for standard input",
                .usage)
        }
        var writer = ByteWriter()
        if stream.name == "stocks" {
            var movements = StockMovements(seed: seed)
            movements.write(to: &writer)
        } else {
            var city = CitySimulation(seed: seed)
            city.write(at: Timestamp(microseconds: 0), to: &writer)
        }
        var decoder = RecordDecoder(stream)
        do throws(RecordRejection) {
            try decoder.decode(
                writer.bytes, RecordMetadata(key: writer.bytes, timestamp: 0, partition: 0, offset: 0))
        } catch {
            throw StartError(
                "stream '\(stream.name)' is not the built-in one (\(error.reason)); give its records by --file", .usage)
        }
    }

    private static func source(
        _ streams: [StreamDefinition], _ options: ProduceOptions, _ kafka: [String: String]
    ) throws(StartError) -> any RecordSource {
        guard let file = options.file else {
            return SimulatedRecords(
                streams, seed: options.seed, utcOffset: options.utcOffset, hasFaults: options.hasFaults)
        }
        let limit = kafka["message.max.bytes"].flatMap { Int($0) } ?? recordByteLimit
        switch options.format ?? (file.lowercased().hasSuffix(".csv") ? .csv : .ndjson) {
        case .ndjson: return try JSONLines(streams[0], path: file, map: options.map, byteLimit: limit)
        case .csv: return try CSVRecords(streams[0], path: file, map: options.map, byteLimit: limit)
        }
    }

    private static func requireTopics(
        of streams: [StreamDefinition], _ kafka: [String: String]
    ) throws(StartError) {
        let address = kafka["bootstrap.servers"] ?? ""
        let counts: [String: Int32]
        do throws(KafkaError) {
            counts = try Admin(kafka).partitionCounts()
        } catch {
            throw StartError(
                error.isRetriable
                    ? "Kafka at \(address) does not answer; check KAFKA_BOOTSTRAP_SERVERS" : "Kafka: \(error)",
                error.isRetriable ? .unavailable : .configuration)
        }
        for stream in streams where counts[stream.topics[0]] == nil {
            throw StartError(
                "topic '\(stream.topics[0])' of stream '\(stream.name)' does not exist; make it: kafka-topics.sh "
                    + "--bootstrap-server \(address) --create --topic \(stream.topics[0]) --partitions 8",
                .configuration)
        }
    }
}
