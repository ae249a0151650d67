internal import CRdkafka

/// Writes records with acks=all and idempotence, keyed as Java clients do. Owned by one thread.
package struct Producer: ~Copyable {
    let client: Client
    private let reports: DeliveryReports

    private static let defaults = [
        "enable.idempotence": "true",
        "acks": "all",
        "partitioner": "murmur2_random",
        "linger.ms": "5",
        "client.id": "millrace",
    ]

    package init(_ configuration: [String: String]) throws(KafkaError) {
        let reports = DeliveryReports()
        let opaque = Unmanaged.passUnretained(reports).toOpaque()
        let client = try Client(RD_KAFKA_PRODUCER, Self.defaults.merging(configuration) { _, given in given }) { conf in
            rd_kafka_conf_set_opaque(conf, opaque)
            rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
                Unmanaged<DeliveryReports>.fromOpaque(opaque!).takeUnretainedValue().add(message!.pointee)
            }
        }
        self.init(client: client, reports: reports)
    }

    private init(client: consuming Client, reports: DeliveryReports) {
        self.client = client
        self.reports = reports
    }

    /// Records that the broker has acknowledged.
    package var deliveredCount: Int { reports.delivered }

    /// Puts a record on its way. The bytes are copied.
    /// - Parameters:
    ///   - partition: nil to let the key decide.
    ///   - headers: in their order; a value may be none.
    /// - Returns: false when the queue is full: `flush` or `poll`, and try again.
    package func produce(
        topic: String, partition: Int32? = nil, key: [UInt8]?, value: [UInt8]?,
        headers: [(name: String, value: [UInt8]?)] = []
    ) throws(KafkaError) -> Bool {
        let code = Self.withPointer(key) { key, keyCount in
            Self.withPointer(value) { value, valueCount in
                topic.withCString { topic in
                    var arguments = [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 5)
                    arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC
                    arguments[0].u.cstr = topic
                    arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION
                    arguments[1].u.i32 = partition ?? -1
                    arguments[2].vtype = RD_KAFKA_VTYPE_KEY
                    arguments[2].u.mem.ptr = UnsafeMutableRawPointer(mutating: key)
                    arguments[2].u.mem.size = keyCount
                    arguments[3].vtype = RD_KAFKA_VTYPE_VALUE
                    arguments[3].u.mem.ptr = UnsafeMutableRawPointer(mutating: value)
                    arguments[3].u.mem.size = valueCount
                    arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS
                    arguments[4].u.i = 2  // RD_KAFKA_MSG_F_COPY
                    if !headers.isEmpty {
                        var argument = rd_kafka_vu_t()
                        argument.vtype = RD_KAFKA_VTYPE_HEADERS
                        // The message owns them once it is on its way.
                        argument.u.headers = Self.makeHeaders(headers)
                        arguments.append(argument)
                    }
                    let error = rd_kafka_produceva(client.handle, &arguments, arguments.count)
                    defer { if let error { rd_kafka_error_destroy(error) } }
                    if error != nil, !headers.isEmpty { rd_kafka_headers_destroy(arguments[5].u.headers) }
                    return error.map { rd_kafka_error_code($0) } ?? RD_KAFKA_RESP_ERR_NO_ERROR
                }
            }
        }
        if code == RD_KAFKA_RESP_ERR__QUEUE_FULL { return false }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("produce", code) }
        return true
    }

    private static func makeHeaders(_ headers: [(name: String, value: [UInt8]?)]) -> OpaquePointer? {
        let list = rd_kafka_headers_new(headers.count)
        for (name, value) in headers {
            _ = withPointer(value) { bytes, count in rd_kafka_header_add(list, name, -1, bytes, count) }
        }
        return list
    }

    /// An empty run of bytes is a value; only nil is none.
    private static func withPointer<Value>(_ bytes: [UInt8]?, _ body: (UnsafeRawPointer?, Int) -> Value) -> Value {
        guard let bytes else { return body(nil, 0) }
        guard !bytes.isEmpty else { return withUnsafeBytes(of: UInt8(0)) { body($0.baseAddress, 0) } }
        return bytes.withUnsafeBytes { body($0.baseAddress, $0.count) }
    }

    /// Serves delivery reports, waiting at most `timeout` for one.
    package func poll(_ timeout: Duration = .zero) {
        rd_kafka_poll(client.handle, Client.milliseconds(timeout))
    }

    /// Waits until every record has been acknowledged.
    /// - Throws: the first record's error that was refused, or that the time was too short.
    package func flush(_ timeout: Duration = .seconds(30)) throws(KafkaError) {
        let code = rd_kafka_flush(client.handle, Client.milliseconds(timeout))
        if let error = reports.firstError { throw error }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("flush", code) }
    }
}
