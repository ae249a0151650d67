package import Common
import Foundation
import Kafka

extension CoordinatorConfiguration {
    /// Whether nothing says where Kafka is.
    package var lacksKafka: Bool { !Properties.bootstrap.contains { kafka[$0] != nil } }

    /// Whether nothing says where Postgres is: neither host, hostaddr, port, service nor database. A user, a password or
    /// TLS settings alone are no place, and are often set for another purpose; and libpq's own default, a socket in /run
    /// and the operating system's user, is not what somebody meant who said nothing at all.
    package var lacksPostgres: Bool {
        !["host", "hostaddr", "port", "service", "dbname"].contains { postgres[$0] != nil }
    }

    /// That librdkafka makes the clients of it which workers and edges make: one that it refuses ends them again and again.
    package func checkKafkaProperties() throws(StartError) {
        do throws(KafkaError) { try Properties.tryClients(kafka) } catch {
            throw StartError("Kafka: \(error)", .configuration)
        }
    }

    /// What to bring up before the fleet.
    package mutating func embedWhatIsMissing(kafka kind: EmbeddedPlan.Kafka) {
        embedded.kafka = lacksKafka ? kind : nil
        embedded.postgres = lacksPostgres
    }

    /// Whether it runs services of its own.
    var isEmbedding: Bool { embedded.kafka != nil || embedded.postgres }

    /// What of the needs nothing says.
    package func lacking(_ needs: ServiceNeeds) -> (kafka: Bool, postgres: Bool) {
        (needs.contains(.kafka) && lacksKafka, needs.contains(.postgres) && lacksPostgres)
    }

    /// Fills in what nothing says here from the fleet that runs in the runtime folder, if one does.
    package mutating func takeWhatIsMissing(
        fromFleet client: () throws -> ControlClient, _ needs: ServiceNeeds
    ) throws {
        guard lacking(needs) != (false, false) else { return }
        let answer: CommandReply
        do {
            answer = try client().ask(.connections)
        } catch let error as StartError where error.exitCode == .unavailable {
            let (what, how) =
                lacking(needs).kafka
                ? ("Kafka", "set KAFKA_BOOTSTRAP_SERVERS, or kafka.bootstrap.servers in Config.json")
                : ("Postgres", "set PGHOST, or postgres.host in Config.json")
            throw StartError("no \(what): \(how), or start one: coordinator start", .configuration)
        }
        guard case .connections(let theirKafka, let theirPostgres) = answer else {
            throw StartError("the coordinator in \(runtimeFolder) is of another version", .unavailable)
        }
        if lacksKafka { kafka.merge(theirKafka) { _, theirs in theirs } }
        if lacksPostgres { postgres = theirPostgres }
    }

    /// One of our other programs: beside the workers'.
    package func executable(_ name: String) -> String {
        URL(filePath: workerExecutable).deletingLastPathComponent().appending(path: name).path
    }
}
