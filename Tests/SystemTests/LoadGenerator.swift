import Foundation
import Kafka
import Synchronization
import TestSupport

/// Produces `{"n":offset,"p":partition}` into every partition of a topic at a steady rate, on a thread of its own.
final class LoadGenerator: Sendable {
    private struct State {
        var perPartition = 0
        var isStopped = false
        var failure: String?
    }

    private static let turn = 0.01
    private let state = Mutex(State())
    private let finished = DispatchSemaphore(value: 0)

    /// - Parameter rate: records a second in each partition.
    init(_ kafka: TestKafka, topic: String, partitions: Int32, rate: Int) {
        let configuration = kafka.configuration.merging(["linger.ms": "0"]) { $1 }
        let thread = Thread { [self] in
            do {
                try run(Producer(configuration), topic, partitions, max(1, Int(Double(rate) * Self.turn)))
            } catch {
                state.withLock { $0.failure = "\(error)" }
            }
            finished.signal()
        }
        thread.start()
    }

    private func run(_ producer: consuming Producer, _ topic: String, _ partitions: Int32, _ burst: Int) throws {
        var next = 0
        var due = Date.now
        while !state.withLock({ $0.isStopped }) {
            for number in next..<(next + burst) {
                for partition in 0..<partitions {
                    let value = Array(#"{"n":\#(number),"p":\#(partition)}"#.utf8)
                    while !(try producer.produce(topic: topic, partition: partition, key: nil, value: value)) {
                        producer.poll(.milliseconds(5))
                    }
                }
            }
            next += burst
            producer.poll()
            due += Self.turn
            // The pace of the load.
            Thread.sleep(until: due)
        }
        try producer.flush(.seconds(60))
        state.withLock { $0.perPartition = next }
    }

    /// Ends it. Returns the records of each partition, all acknowledged.
    func stop() throws -> Int {
        state.withLock { $0.isStopped = true }
        finished.wait()
        if let failure = state.withLock({ $0.failure }) { throw ShellFailure(command: "produce", output: failure) }
        return state.withLock { $0.perPartition }
    }
}
