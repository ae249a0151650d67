internal import CRdkafka

/// Writes records with acks=all and idempotence, keyed as Java clients do. Owned by one thread.
package struct Producer: ~Copyable {
    let client: PolledClient
    private let reports: DeliveryReports
    /// Readable when `poll` may have deliveries to tell.
    package var descriptor: Int32 { client.descriptor }

    /// Where there are none of ours, librdkafka's defaults hold (its CONFIGURATION.md).
    private static let defaults = [
        "enable.idempotence": "true",
        "acks": "all",
        "partitioner": "murmur2_random",
        "linger.ms": "5",
        // A mistyped name is an error, not a new topic.
        "allow.auto.create.topics": "false",
        // What may wait for Kafka: librdkafka's own limit of bytes is a gigabyte.
        "queue.buffering.max.messages": "100000",
        "queue.buffering.max.kbytes": "65536",
        "client.id": "millrace",
    ]

    /// - Parameter tokenLimit: records with a token that are on their way, or whose delivery nobody has taken.
    package init(_ configuration: [String: String], tokenLimit: Int = 100_000) throws(KafkaError) {
        let reports = DeliveryReports(tokenLimit: tokenLimit)
        let opaque = Unmanaged.passUnretained(reports).toOpaque()
        let client = try Client(RD_KAFKA_PRODUCER, Self.defaults.merging(configuration) { _, given in given }) { conf in
            rd_kafka_conf_set_opaque(conf, opaque)
            rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
                Unmanaged<DeliveryReports>.fromOpaque(opaque!).takeUnretainedValue().add(message!.pointee)
            }
        }
        self.init(client: try PolledClient(client, rd_kafka_queue_get_main), reports: reports)
    }

    private init(client: consuming PolledClient, reports: DeliveryReports) {
        self.client = client
        self.reports = reports
    }

    /// Records that the broker has acknowledged.
    package var deliveredCount: Int { reports.delivered }
    /// Records that were given up: refused, or not acknowledged within `delivery.timeout.ms`.
    package var failedCount: Int { reports.failed }
    /// Why the first of them was.
    package var firstError: KafkaError? { reports.firstError }
    /// Records of which nothing is known yet; those whose reports wait for `poll` included.
    package var waitingCount: Int { Int(rd_kafka_outq_len(client.handle)) }

    /// Puts a record on its way. The bytes are copied.
    /// - Parameters:
    ///   - partition: nil to let the key decide.
    ///   - headers: in their order; a value may be none.
    ///   - token: comes back with the record's fate from `takeDeliveries`, once. Any but the greatest.
    /// - Returns: false when the queue is full, or too many deliveries wait to be taken: `poll`, and try again.
    package func produce(
        topic: String, partition: Int32? = nil, key: [UInt8]?, value: [UInt8]?,
        headers: [(name: String, value: [UInt8]?)] = [], token: UInt64? = nil
    ) throws(KafkaError) -> Bool {
        // Typed throws do not pass through the closures of the standard library.
        let result: Result<Bool, KafkaError> = Self.withBytes(key) { key in
            Self.withBytes(value) { value in
                do throws(KafkaError) {
                    return .success(
                        try produce(
                            topic: topic, partition: partition, key: key, value: value, headers: headers, token: token))
                } catch {
                    return .failure(error)
                }
            }
        }
        return try result.get()
    }

    /// The same for bytes that live elsewhere.
    package func produce(
        topic: String, partition: Int32? = nil, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        headers: [(name: String, value: [UInt8]?)] = [], token: UInt64? = nil
    ) throws(KafkaError) -> Bool {
        if token != nil, !reports.admit() { return false }
        let code = send(
            topic: topic, partition: partition ?? -1, key: key, value: value, headers: headers,
            opaque: token.flatMap { DeliveryReports.opaque($0) })
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return true }
        if token != nil { reports.withdraw() }
        if code == RD_KAFKA_RESP_ERR__QUEUE_FULL { return false }
        throw KafkaError("produce", code)
    }

    private func send(
        topic: String, partition: Int32, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        headers: [(name: String, value: [UInt8]?)], opaque: UnsafeMutableRawPointer?
    ) -> rd_kafka_resp_err_t {
        topic.withCString { topic in
            withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 7) { arguments in
                arguments.initialize(repeating: rd_kafka_vu_t())
                arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC
                arguments[0].u.cstr = topic
                arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION
                arguments[1].u.i32 = partition
                arguments[2].vtype = RD_KAFKA_VTYPE_KEY
                arguments[2].u.mem.ptr = UnsafeMutableRawPointer(mutating: key?.baseAddress)
                arguments[2].u.mem.size = key?.count ?? 0
                arguments[3].vtype = RD_KAFKA_VTYPE_VALUE
                arguments[3].u.mem.ptr = UnsafeMutableRawPointer(mutating: value?.baseAddress)
                arguments[3].u.mem.size = value?.count ?? 0
                arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS
                arguments[4].u.i = 2  // RD_KAFKA_MSG_F_COPY
                arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE
                arguments[5].u.ptr = opaque
                // The message owns them once it is on its way.
                let list = headers.isEmpty ? nil : Self.makeHeaders(headers)
                arguments[6].vtype = RD_KAFKA_VTYPE_HEADERS
                arguments[6].u.headers = list
                let error = rd_kafka_produceva(client.handle, arguments.baseAddress, list == nil ? 6 : 7)
                guard let error else { return RD_KAFKA_RESP_ERR_NO_ERROR }
                defer { rd_kafka_error_destroy(error) }
                if let list { rd_kafka_headers_destroy(list) }
                return rd_kafka_error_code(error)
            }
        }
    }

    private static func makeHeaders(_ headers: [(name: String, value: [UInt8]?)]) -> OpaquePointer? {
        let list = rd_kafka_headers_new(headers.count)
        for (name, value) in headers {
            _ = withBytes(value) { rd_kafka_header_add(list, name, -1, $0?.baseAddress, $0?.count ?? 0) }
        }
        return list
    }

    /// An empty run of bytes is a value, and needs an address; only nil is none.
    private static func withBytes<Value>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Value) -> Value {
        guard let bytes else { return body(nil) }
        guard !bytes.isEmpty else {
            return withUnsafeBytes(of: UInt8(0)) { body(UnsafeRawBufferPointer(rebasing: $0[..<0])) }
        }
        return bytes.withUnsafeBytes { body($0) }
    }

    /// Serves delivery reports, waiting at most `timeout` for one.
    package func poll(_ timeout: Duration = .zero) {
        client.reset()
        rd_kafka_poll(client.handle, Client.milliseconds(timeout))
    }

    /// What `poll` and `flush` have heard of records with tokens since the last time, in the order in which it came.
    package func takeDeliveries() -> [Delivery] { reports.take() }

    /// Waits until every record has been acknowledged.
    /// - Throws: the first record's error that was refused, or that the time was too short.
    package func flush(_ timeout: Duration = .seconds(30)) throws(KafkaError) {
        let code = rd_kafka_flush(client.handle, Client.milliseconds(timeout))
        if let error = reports.firstError { throw error }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("flush", code) }
    }
}
