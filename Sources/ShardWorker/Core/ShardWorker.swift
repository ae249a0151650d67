import CLinux
package import Common
import Foundation
import JSONRecords
import Kafka
import Postgres
import Schema
package import ZeroMQ

/// The loop of a shard worker: one thread, one wait over the control socket, stdin, Postgres and Kafka.
///
/// Postgres holds the truth. Whatever goes wrong there, the answer is one: forget what is in memory, read the
/// positions that are stored, and go on from them.
package final class ShardWorker {
    let shard: Int32
    let configuration: WorkerConfiguration
    let schema: MillraceSchema
    let control: ControlChannel
    var publisher: FeedPublisher
    var consumer: Consumer
    var session: Session?
    var nextConnect = ContinuousClock.now
    var connectFailures = 0
    /// By a server that is there.
    var isRefused = false

    let lanes: [Lane]
    var sources: [SourceID: SourceState] = [:]
    var byPartition: [TopicPartition: SourceID] = [:]
    let claim = UUIDValue.random()
    var generation: Int64 = 0
    var claiming: Set<SourceID> = []

    var mayHaveRecords = false
    /// What the consumer said the last time; nil: sources have come, or their positions, since.
    var knownCluster: String?
    /// The one that the consumer has known since it was made.
    var clientCluster: String?
    private var nextMirror = ContinuousClock.now
    var hasToldMirrorFailure = false
    let inFlight: InFlightRecord?
    var drainDeadline: ContinuousClock.Instant?
    var nextHeartbeat = ContinuousClock.now
    /// Lanes take turns: the one behind the last that wrote is asked first.
    var nextLane = 0

    static let heartbeatInterval = Duration.seconds(1)
    private static let mirrorInterval = Duration.seconds(5)
    static let ledgerInterval = Duration.seconds(60)
    static let blockedInterval = Duration.seconds(60)
    static let drainLimit = Duration.seconds(10)
    /// How long a worker drains whose coordinator is gone: that one's private Postgres may be going too.
    static let orphanDrainLimit = Duration.seconds(6)
    static let retryLimit = 20

    package init(
        shard: Int32, _ configuration: WorkerConfiguration, control: ControlChannel, context: Context
    ) throws {
        let schema = MillraceSchema(name: configuration.schema)
        self.shard = shard
        self.configuration = configuration
        self.schema = schema
        self.control = control
        lanes = configuration.streams.map {
            Lane(
                $0, schema: schema, recordByteLimit: configuration.recordByteLimit,
                breakerRecordCount: configuration.breakerRecordCount)
        }
        inFlight = configuration.inFlightPath.flatMap { InFlightRecord(path: $0) }
        publisher = try FeedPublisher(
            configuration.feedEndpoint, remote: configuration.remoteFeed, shard: shard, in: context)
        // For tools that show the lag of groups; the configured name is the user's to choose.
        let group = ["group.id": "millrace-\(configuration.schema)"]
        consumer = try Consumer(
            group.merging(configuration.kafka) { _, given in given }, topics: configuration.streams.flatMap(\.topics))
    }

    /// Runs until it has drained: when told to, or when stdin ends because the coordinator is gone.
    package func run() throws -> ExitCode {
        var poller = Poller()
        while true {
            poller.removeAll()
            control.add(to: &poller)
            publisher.add(to: &poller)
            // At its end stdin stays readable: once is enough to know.
            let input = drainDeadline == nil ? poller.add(descriptor: STDIN_FILENO, .read) : nil
            // Without a descriptor there is nothing to wait for: serving tells what is wrong.
            let database = session.map { $0.descriptor >= 0 ? poller.add(descriptor: $0.descriptor, $0.interest) : nil }
            let records = wantsRecords ? poller.add(descriptor: consumer.descriptor, .read) : nil
            try poller.wait(timeout)

            if let input, !poller.events(input).isEmpty, endOfInput() { drain(within: Self.orphanDrainLimit) }
            while let message = try control.receive() { try handle(message) }
            try publisher.serve()
            if let records, !poller.events(records).isEmpty { mayHaveRecords = true }
            if let database {
                if database.map({ !poller.events($0).isEmpty }) ?? true { try serveSession() }
            } else if nextConnect <= .now {
                try connect()
            }
            if let deadline = session?.connectDeadline, deadline <= .now {
                try loseSession(
                    PostgresError(operation: "connect", sqlState: "", message: "the server did not answer in time"))
            }
            try takeRecords()
            try startWork()
            if nextHeartbeat <= .now { try heartbeat() }
            if let deadline = drainDeadline {
                if sources.isEmpty, claiming.isEmpty { return .success }
                if deadline <= .now { return .drainTimeout }
            }
        }
    }

    private var timeout: Duration {
        if wantsRecords, mayHaveRecords { return .zero }
        var next = nextHeartbeat
        if let session { if session.descriptor < 0 { return .zero } } else { next = min(next, nextConnect) }
        for lane in lanes {
            if let due = commitTime(lane), session?.isIdle == true { next = min(next, due) }
        }
        return max(.zero, next - .now)
    }

    /// When a lane's batch may start; nil while there is nothing to start.
    func commitTime(_ lane: Lane) -> ContinuousClock.Instant? {
        guard !lane.isWriting, !lane.filling.isEmpty else { return nil }
        return isFull(lane) ? .now : lane.pace.due
    }

    func isFull(_ lane: Lane) -> Bool {
        lane.filling.entries.count >= configuration.batchRowLimit
            || lane.filling.byteCount >= configuration.batchByteLimit
    }

    // MARK: Control

    private func endOfInput() -> Bool {
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) == 0
    }

    private func handle(_ message: CoordinatorMessage) throws {
        switch message {
        case .configure: break  // only once, before the loop
        case .assign(let generation, let ids):
            guard generation >= self.generation, drainDeadline == nil else { return }
            self.generation = generation
            claiming.formUnion(ids.filter { sources[$0] == nil })
            // Whoever was cut off is reached again, and so is Postgres: sooner than TCP would find out. A server that refused us has
            // its time: somebody has to mend that first.
            if session?.isOverdue ?? !isRefused {
                session = nil
                nextConnect = .now
            }
        case .release(let ids): try release(ids)
        case .allow(let clients): try publisher.allow(clients)
        case .drain: drain(within: Self.drainLimit)
        }
    }

    func send(_ message: WorkerMessage) throws {
        try control.send(message)
    }

    private func drain(within limit: Duration) {
        guard drainDeadline == nil else { return }
        drainDeadline = .now + limit
        claiming.removeAll()
        // Without a coordinator there is nobody to tell; without Kafka nothing to wait for.
        try? release(Array(sources.keys))
    }

    private func release(_ ids: [SourceID]) throws {
        var free = ids.filter { claiming.remove($0) != nil || sources[$0] == nil }
        for id in ids where sources[id] != nil {
            try unassign([id])
            if session?.isReady == true {
                sources[id]!.phase = .releasing
            } else {
                // Nothing of it is in memory, and what may still be under way ends with the backend that the next holder ends.
                sources[id] = nil
                free.append(id)
            }
        }
        if !free.isEmpty { try send(.released(sources: free)) }
    }

    private func heartbeat() throws {
        nextHeartbeat = .now + Self.heartbeatInterval
        var progress = WorkerProgress(
            generation: generation,
            waitingFor: session?.isReady != true ? .postgres : consumer.isConnected ? nil : .kafka,
            sources: sources.values.sorted { $0.id < $1.id }.map { source in
                let stopped: String? = if case .stopped(let reason) = source.phase { reason } else { nil }
                let isAtEnd = source.isReplay || source.end == source.taken
                let high = source.isReplay ? nil : consumer.knownEndOffset(source.partition)
                var row = WorkerProgress.Source(
                    id: source.id, nextOffset: source.ledger.to, endOffset: isAtEnd ? source.taken : high,
                    stopped: stopped ?? lanes[source.lane].stopReason)
                row.heldBack = source.heldBack(high: high, at: .now)
                return row
            }, streams: lanes.map(\.report))
        progress.processorSeconds = ProcessUsage.processorSeconds
        progress.residentBytes = ProcessUsage.residentBytes
        progress.remoteFeed = publisher.remoteEndpoint
        try send(.heartbeat(progress))
        if nextMirror <= .now {
            nextMirror = .now + Self.mirrorInterval
            mirrorPositions()
        }
        for (index, lane) in lanes.enumerated() {
            let heads = sources.values.filter { $0.lane == index }.map {
                FeedMessage.Span(source: $0.id, from: $0.ledger.to, to: $0.ledger.to)
            }
            if !heads.isEmpty { try publisher.announce(heads, stream: lane.stream.name, at: Self.clock()) }
        }
    }

    /// Microseconds since 1970.
    static func clock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
