internal import Common
private import Glibc
internal import JSONRecords

/// Made-up records of the built-in streams: readings of a city's cameras, movements of their spare parts.
final class SimulatedRecords: RecordSource {
    private struct Target {
        let topic: String
        /// Of a stream that is keyed in another way than the built-in one.
        let key: RecordKey?
        let isBuiltInKey: Bool
    }

    /// Readings for each movement of stock.
    private static let readingsPerMovement = 50
    static let streamNames: Set<String> = ["traffic_data", "stocks"]

    private var city: CitySimulation
    private var stocks: StockMovements
    private let traffic: Target?
    private let movements: Target?
    private var count = 0
    private var writer = ByteWriter(capacity: 1024)

    /// - Parameters:
    ///   - streams: of those that can be made up.
    ///   - utcOffset: what the city's clocks are ahead of UTC, in seconds.
    init(_ streams: [StreamDefinition], seed: UInt64, utcOffset: Int, hasFaults: Bool) {
        city = CitySimulation(seed: seed, utcOffset: utcOffset, hasFaults: hasFaults)
        stocks = StockMovements(seed: seed)
        func target(_ name: String) -> Target? {
            guard let stream = streams.first(where: { $0.name == name }) else { return nil }
            let isBuiltInKey = stream.key == BuiltInStreams.all().first { $0.name == name }?.key
            return Target(
                topic: stream.topics[0], key: isBuiltInKey ? nil : RecordKey(stream), isBuiltInKey: isBuiltInKey)
        }
        traffic = target("traffic_data")
        movements = target("stocks")
        precondition(traffic != nil || movements != nil)
    }

    var progress: (read: Int64, size: Int64)? { nil }

    func next(_ take: (OutgoingRecord) throws -> Void) throws -> RecordSourceStep {
        count += 1
        writer.truncate()
        if let movements, traffic == nil || count % Self.readingsPerMovement == 0 {
            let key = stocks.write(to: &writer)
            try hand(over: writer.bytes, key, to: movements, take)
        } else if let traffic {
            let key = city.write(at: Self.now, to: &writer)
            try hand(over: writer.bytes, key, to: traffic, take)
        }
        return .record
    }

    private func hand(
        over value: UnsafeRawBufferPointer, _ builtInKey: [UInt8], to target: Target,
        _ take: (OutgoingRecord) throws -> Void
    ) throws {
        // What a broken camera sends may be no JSON: then there is no key in it.
        let key = target.isBuiltInKey ? builtInKey : try? target.key?.bytes(of: value)
        guard let key else { return try take(OutgoingRecord(topic: target.topic, key: nil, value: value)) }
        try key.withUnsafeBytes { try take(OutgoingRecord(topic: target.topic, key: $0, value: value)) }
    }

    private static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(
            microseconds: (Int64(time.tv_sec) - Timestamp.postgresEpochSeconds) * 1_000_000 + Int64(time.tv_nsec / 1000)
        )
    }
}
