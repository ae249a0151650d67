internal import CLinux
internal import CRdkafka
private import Glibc

/// A client, and the queue from which its owner takes what has come.
struct PolledClient: ~Copyable {
    private let client: Client
    let queue: OpaquePointer
    /// Readable when there may be something in the queue.
    let descriptor: Int32

    /// - Parameter queue: a reference to the one of the client's, which this one keeps.
    init(_ client: consuming Client, _ queue: (OpaquePointer) -> OpaquePointer?) throws(KafkaError) {
        // Readable from the start: librdkafka writes only when its queue stops being empty, and the first event may be
        // in it before it knows our descriptor.
        let descriptor = eventfd(1, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0, let queue = queue(client.handle) else {
            if descriptor >= 0 { close(descriptor) }
            throw KafkaError("eventfd", RD_KAFKA_RESP_ERR__FAIL)
        }
        var one: UInt64 = 1
        rd_kafka_queue_io_event_enable(queue, descriptor, &one, MemoryLayout<UInt64>.size)
        self.init(client, queue, descriptor)
    }

    private init(_ client: consuming Client, _ queue: OpaquePointer, _ descriptor: Int32) {
        self.client = client
        self.queue = queue
        self.descriptor = descriptor
    }

    // A client's queues are to be gone before the client is (rdkafka.h, rd_kafka_queue_destroy).
    deinit {
        rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
        rd_kafka_queue_destroy(queue)
        close(descriptor)
    }

    var handle: OpaquePointer { client.handle }

    /// Before the queue is looked at: what comes after that makes the descriptor readable again.
    func reset() {
        var counter: UInt64 = 0
        _ = read(descriptor, &counter, MemoryLayout<UInt64>.size)
    }

    /// There is more in the queue than was taken.
    func wakeAgain() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
