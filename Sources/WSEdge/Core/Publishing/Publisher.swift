import Common
import JSONRecords
import Kafka

/// Takes clients' records into Kafka: acknowledged means that Kafka has it on all replicas that it wants. At least once:
/// a record that was not acknowledged in time may be there all the same. On the server's thread; nothing in it waits.
final class Publisher {
    typealias Done = (Result<Delivery, RequestError>) -> Void

    private var producer: Producer
    private var waiting: [UInt64: Done] = [:]
    private var nextToken: UInt64 = 0

    /// Milliseconds until a record counts as not acknowledged.
    private static let timeout = 20_000
    private static let overloaded = RequestError(
        code: "overloaded", message: "more records wait for Kafka than this edge holds", retryAfter: 500)

    /// - Parameter kafka: librdkafka's properties.
    init(_ kafka: [String: String]) throws(KafkaError) {
        let own = ["message.timeout.ms": String(Self.timeout), "linger.ms": "2"]
        producer = try Producer(own.merging(kafka) { $1 })
    }

    /// Readable when `poll` may have answers.
    var descriptor: Int32 { producer.descriptor }

    var waitingCount: Int { waiting.count }

    /// - Parameter done: called later with what became of it, or before this returns when it can't be taken.
    func publish(
        _ value: ArraySlice<UInt8>, key: [UInt8]?, to topic: String, headers: [(name: String, value: [UInt8]?)],
        _ done: @escaping Done
    ) {
        let token = nextToken
        nextToken += 1
        do throws(KafkaError) {
            guard try producer.produce(topic: topic, key: key, value: Array(value), headers: headers, token: token)
            else {
                return done(.failure(Self.overloaded))
            }
            waiting[token] = done
        } catch {
            done(.failure(RequestError(error)))
        }
    }

    func poll() {
        producer.poll()
        for delivery in producer.takeDeliveries() {
            guard let done = waiting.removeValue(forKey: delivery.token) else { continue }
            done(delivery.error.map { .failure(RequestError($0)) } ?? .success(delivery))
        }
    }

    /// What waits is not acknowledged any more.
    func abandon() {
        let all = waiting.values
        waiting = [:]
        for done in all {
            done(
                .failure(
                    RequestError(
                        code: "unavailable",
                        message: "this edge has another Kafka now; the record may have been stored",
                        retryAfter: 500)))
        }
    }
}

extension RequestError {
    /// What Kafka answered instead of an acknowledgement.
    init(_ error: KafkaError) {
        if error.isTooLarge {
            self.init(code: "too_large", message: "the record is larger than Kafka takes")
        } else if error.isUnknownPartition {
            self.init(code: "unavailable", message: "the stream's topic is not there", retryAfter: 5000)
        } else {
            self.init(
                code: "unavailable", message: "Kafka did not acknowledge it in time; it may be stored all the same",
                retryAfter: 1000)
        }
    }
}
