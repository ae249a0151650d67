package import Common
private import Glibc
internal import JSONRecords
internal import Kafka

/// A run of `coordinator produce`: takes records from their source, at their pace, to Kafka, and hears what became of
/// each. One thread; ends when the source does, the count is full, a signal says so, or something can't be delivered.
package final class ProduceRun {
    private enum Stop {
        case finished, interrupted
        /// Kafka has given up a record.
        case undelivered
        case badLine(BadLine)
        case broken(StartError)
    }

    /// Records between two looks at the clock.
    private static let burst: Int64 = 256
    private static let drawInterval = Duration.milliseconds(200)
    private static let silenceLimit = Duration.seconds(5)

    private let source: any RecordSource
    private let producer: Producer
    private let signals: StopSignals
    private let count: Int64?
    private let keepsGoing: Bool
    private let deliveryTimeout: String
    private var pacing: Pacing?
    private var progress: ProduceProgress
    private var display: ProduceDisplay
    private var stop: Stop?
    private var summary = ProduceSummary()
    private let clock = ContinuousClock()
    private let start = ContinuousClock.now
    private var lastDraw = Duration.zero
    /// When something was acknowledged last, or nothing was to be.
    private var lastAnswer = Duration.zero
    private var lastDelivered = 0

    private init(
        _ source: any RecordSource, _ producer: consuming Producer, _ signals: StopSignals, _ options: ProduceOptions,
        deliveryTimeout: String
    ) {
        self.source = source
        self.producer = producer
        self.signals = signals
        count = options.count
        keepsGoing = options.keepsGoing
        self.deliveryTimeout = deliveryTimeout
        pacing = options.rate.map { Pacing(rate: $0) }
        progress = ProduceProgress(count: options.count, rateLimit: options.rate)
        display = ProduceDisplay(isQuiet: options.isJSON)
    }

    /// - Throws: why nothing was produced.
    package static func perform(
        _ configuration: CoordinatorConfiguration, _ options: ProduceOptions
    ) throws -> (ProduceSummary, ExitCode) {
        let plan = try ProducePlan(configuration, options)
        // Until here a signal ends the process at once: there is nothing to bring to an end.
        let signals = StopSignals()
        let producer: Producer
        do throws(KafkaError) {
            producer = try Producer(plan.kafka)
        } catch {
            throw StartError("Kafka: \(error)", .configuration)
        }
        return try ProduceRun(plan.source, producer, signals, options, deliveryTimeout: plan.deliveryTimeout).run()
    }

    private var elapsed: Duration { clock.now - start }

    private func run() throws -> (ProduceSummary, ExitCode) {
        while stop == nil { turn() }
        flush()
        display.clear()
        summary.acknowledged = Int64(producer.deliveredCount)
        summary.failed = Int64(producer.failedCount)
        summary.seconds = elapsed / .seconds(1)
        summary.error = producer.firstError.map { "\($0)" }
        let code = try conclude()
        return (summary, code)
    }

    /// Says what went wrong, in the summary or, where nothing was sent, by throwing.
    private func conclude() throws -> ExitCode {
        switch stop {
        case .badLine(let line):
            summary.error = summary.error ?? "line \(line.line): \(line.reason)"
            guard summary.acknowledged == summary.records else { return .unavailable }
            return .invalidInput
        case .broken(let error):
            guard summary.records > 0 else { throw error }
            summary.error = summary.error ?? error.description
            return error.exitCode
        default:
            guard summary.acknowledged < summary.records else { return .success }
            summary.error = summary.error ?? "stopped before Kafka had answered"
            return .unavailable
        }
    }

    /// A burst of records, then whatever else there is to see to.
    private func turn() {
        let time = elapsed
        var left = min(Self.burst, pacing?.due(at: time) ?? Self.burst, count.map { $0 - summary.records } ?? .max)
        var input: Int32?
        while left > 0, stop == nil, input == nil {
            input = sendNext()
            left -= 1
        }
        if let count, summary.records >= count, stop == nil { stop = .finished }
        producer.poll()
        look()
        let isPaced = pacing != nil && pacing!.due(at: elapsed) == 0
        if stop == nil, isPaced || input != nil { wait(for: input) }
    }

    /// Returns what to wait for when no record is there.
    private func sendNext() -> Int32? {
        do {
            switch try source.next(send) {
            case .record: pacing?.took(1)
            case .waiting(let descriptor): return descriptor
            case .end: stop = .finished
            }
        } catch let line as BadLine {
            guard keepsGoing else {
                stop = stop ?? .badLine(line)
                return nil
            }
            summary.skipped += 1
            display.tell(skipped: line)
        } catch let error as StartError {
            stop = stop ?? .broken(error)
        } catch {
            stop = stop ?? .broken(StartError("\(error)", .unavailable))
        }
        return nil
    }

    /// Waits for room where there is none, as long as that makes sense.
    private func send(_ record: OutgoingRecord) throws {
        do throws(KafkaError) {
            while !(try producer.produce(topic: record.topic, key: record.key, value: record.value)) {
                producer.poll(.milliseconds(20))
                look()
                if stop != nil { return }
            }
            summary.records += 1
        } catch {
            guard error.isTooLarge else { throw StartError("Kafka: \(error)", .unavailable) }
            throw RecordRejection(
                .tooLarge, "has \(record.value.count) bytes, which is more than message.max.bytes allows")
        }
    }

    /// Signals, failures, and what a person sees.
    private func look() {
        signals.read()
        if signals.count > 0 { stop = stop ?? .interrupted }
        if producer.failedCount > 0 { stop = stop ?? .undelivered }
        let time = elapsed
        guard time - lastDraw >= Self.drawInterval else { return }
        lastDraw = time
        let delivered = producer.deliveredCount
        if delivered != lastDelivered || producer.waitingCount == 0 { (lastAnswer, lastDelivered) = (time, delivered) }
        let silence = time - lastAnswer > Self.silenceLimit ? time - lastAnswer : nil
        if let silence { display.tell(silence: silence, deliveryTimeout: deliveryTimeout) }
        display.draw(progress.line(at: time, done: Int64(delivered), file: source.progress, silence: silence))
    }

    private func wait(for input: Int32?) {
        var entries = [signals.descriptor, producer.descriptor].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        if let input { entries.append(pollfd(fd: input, events: Int16(POLLIN), revents: 0)) }
        var limit = Self.drawInterval
        // Without input there is no hurry to send it.
        if input == nil, let pacing { limit = min(limit, pacing.nextTime - elapsed) }
        guard limit > .zero else { return }
        poll(&entries, nfds_t(entries.count), Int32((limit / .milliseconds(1)).rounded(.up)))
    }

    /// Until each record is acknowledged or given up, or nobody wants to wait for it any more.
    private func flush() {
        let signalsBefore = max(signals.count, 1)
        while producer.waitingCount > 0, signals.count <= signalsBefore {
            producer.poll(.milliseconds(50))
            look()
        }
    }
}
