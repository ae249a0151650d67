import BenchmarkSupport
import Common
import CoordinatorCore
import Foundation
import Kafka
import Postgres
import TestSupport

/// The place where contestants run: one broker and one Postgres for all of them, and the records in a topic.
///
/// Both are as users have them: Postgres with its own defaults and fsync, the broker as `coordinator start` runs it.
final class Arena {
    let load: Load
    let kafka: TestKafka
    let postgres: TestPostgres
    let topic: String
    /// Of the built executables.
    let binaries = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

    /// Peers need an address, and one of them prepared transactions.
    private static let server = Result {
        try TestPostgres(port: FreePort.random(), settings: ["max_prepared_transactions": "64"])
    }

    init(_ load: Load) throws {
        self.load = load
        kafka = try TestKafka.shared.get()
        postgres = try Self.server.get()
        topic = try kafka.makeTopic(partitions: Int32(load.partitions))
        let producer = try Producer(kafka.configuration)
        for index in 0..<load.records {
            let (partition, value) = load.record(index)
            while !(try producer.produce(topic: topic, partition: Int32(partition), key: nil, value: value)) {
                producer.poll(.milliseconds(5))
            }
            if index % 1000 == 0 { producer.poll() }
        }
        try producer.flush(.seconds(120))
    }

    /// A database of a contestant's own, with nothing left to write of the one before.
    func withDatabase<Result>(_ body: ([String: String]) throws -> Result) throws -> Result {
        let parameters = try postgres.makeDatabase()
        var server = try Connection.open(parameters: postgres.parameters(database: "postgres"))
        try server.execute("CHECKPOINT")
        defer { _ = try? server.execute("DROP DATABASE \(parameters["dbname"]!) WITH (FORCE)") }
        return try body(parameters)
    }

    /// A folder of a contestant's own.
    func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = try shell("mktemp -d /tmp/mr-bench-XXXXXX")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }
}
