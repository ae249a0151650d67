internal import CRdkafka
private import Glibc

/// A librdkafka client handle, and the parts that consumer, producer and admin calls share.
struct Client: ~Copyable {
    let handle: OpaquePointer

    /// - Parameters:
    ///   - configuration: librdkafka's properties, and ours (`Properties`), which it is not told. Secrets among them
    ///     never reach an error's text.
    ///   - prepare: sets callbacks before the handle is made.
    init(
        _ type: rd_kafka_type_t, _ configuration: [String: String], prepare: (OpaquePointer) -> Void = { _ in }
    ) throws(KafkaError) {
        guard let conf = rd_kafka_conf_new() else { preconditionFailure("out of memory") }
        var reason = [CChar](repeating: 0, count: 512)
        for (name, value) in configuration.sorted(by: { $0.key < $1.key }) where name != Properties.mockCluster {
            guard rd_kafka_conf_set(conf, name, value, &reason, reason.count) == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(conf)
                // librdkafka's own reason quotes the value.
                throw KafkaError(
                    "configure", RD_KAFKA_RESP_ERR__INVALID_ARG, "property '\(name)' is unknown or its value not valid")
            }
        }
        // librdkafka's log lines: what matters comes as events and errors.
        rd_kafka_conf_set_log_cb(conf) { _, _, _, _ in }
        prepare(conf)
        guard let handle = rd_kafka_new(type, conf, &reason, reason.count) else {
            rd_kafka_conf_destroy(conf)
            throw KafkaError("create client", rd_kafka_last_error(), Self.string(reason))
        }
        self.handle = handle
    }

    deinit {
        // A consumer is no group's member, and a member has left before or stays: what waits for the group's coordinator, which may
        // be away, would hold this up.
        rd_kafka_destroy_flags(handle, Int32(millrace_destroy_no_consumer_close))
    }

    /// Throws and frees the error object that a call has returned; nil is success.
    static func check(_ operation: String, _ error: OpaquePointer?) throws(KafkaError) {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        throw KafkaError(operation, rd_kafka_error_code(error), String(cString: rd_kafka_error_string(error)))
    }

    static func string(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func milliseconds(_ duration: Duration) -> Int32 {
        let parts = duration.components
        return Int32(clamping: parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
    }
}
