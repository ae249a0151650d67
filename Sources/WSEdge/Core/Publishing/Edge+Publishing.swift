import Common
import Feed
import JSONRecords
import Kafka

/// Records of clients, whichever way they come.
extension Edge {
    /// Checks that it is one JSON object, finds its key, and puts it on its way.
    /// - Parameters:
    ///   - key: the client's own; nil: the record's, as the stream says.
    ///   - topic: nil: the stream's first.
    ///   - access: who publishes it, for Kafka's headers.
    func publish(
        _ record: ArraySlice<UInt8>, key: [UInt8]? = nil, to stream: StreamDefinition, topic: String? = nil,
        by access: Access, _ done: @escaping (Result<PublishedPlace, RequestError>) -> Void
    ) {
        let topic = topic ?? stream.topics[0]
        do throws(RequestError) {
            guard let publisher, drainDeadline == nil else {
                throw RequestError(code: "unavailable", message: "this edge has no Kafka now", retryAfter: 1000)
            }
            let own = try recordKey(of: record, stream)
            publisher.publish(record, key: key ?? own, to: topic, headers: access.headers) { [weak self] result in
                done(
                    result.map { delivery in
                        let place = StreamState.Place(topic: topic, partition: delivery.partition)
                        return PublishedPlace(
                            topic: topic, partition: delivery.partition, offset: delivery.offset,
                            source: self?.streams[stream.name]?.sources[place])
                    })
            }
        } catch {
            done(.failure(error))
        }
    }

    private func recordKey(of record: ArraySlice<UInt8>, _ stream: StreamDefinition) throws(RequestError) -> [UInt8]? {
        let reader = keyReaders[stream] ?? KeyReader(stream)
        keyReaders[stream] = reader
        do throws(RecordRejection) {
            return try reader.key(of: record)
        } catch {
            throw RequestError(code: "bad_record", message: error.reason)
        }
    }

    /// A stream that takes what is published to it.
    func publishable(_ name: String?) throws(RequestError) -> StreamDefinition {
        guard let name, let stored = stored[name] else { throw unknownStream(name) }
        return stored.stream
    }

    /// Records go elsewhere from now on.
    func use(kafka: [String: String]) {
        guard kafka != self.kafka else { return }
        self.kafka = kafka
        if let old = publisher {
            server?.unwatch(old.descriptor)
            publisher = nil
            old.abandon()
        }
        guard !kafka.isEmpty else { return }
        do throws(KafkaError) {
            let new = try Publisher(kafka)
            publisher = new
            server?.watch(new.descriptor) { [weak new] in new?.poll() }
        } catch {
            Log.standard.say("records can't be taken: Kafka: \(error)", .warning)
        }
    }
}
