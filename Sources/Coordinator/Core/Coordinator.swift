private import CLinux
package import Common
import Foundation
import Kafka
import ZeroMQ

/// The coordinator's loop: one thread, one wait over the control socket, signals and what other threads tell.
///
/// It performs what `FleetState` decides. No record passes through it.
package final class Coordinator {
    /// Where Kafka is changes with each life of a mock cluster.
    var configuration: CoordinatorConfiguration
    let folder: RuntimeFolder
    let control: Socket
    let discovery: Discovery
    let mailbox: Mailbox
    var fleet: FleetState
    var entries: [SourceID: SourceRegistry.Entry] = [:]
    var workers: [Int32: WorkerProcess] = [:]
    /// All beside the workers: what is decided about them, and their processes.
    var children = SupervisedChildren()
    var processes: [ChildName: ChildProcess]
    var services: EmbeddedServices
    /// Of the edges that the coordinator runs itself.
    let edgeAddresses: [ListenAddress]
    var counters = FleetCounters()
    /// Streams that were asked to be paused because their breaker tripped.
    var tripped: Set<String> = []
    let metrics: MetricsEndpoint?
    let notifier: ServiceNotifier?
    /// Nil unless configured.
    let remote: RemoteControl?
    var edges = EdgeRegistry()
    /// On the control socket: those that were no message of ours.
    var droppedFrames = 0
    private let signals: Int32
    private var discoveryFailure: String?
    private var keysFailure: String?
    private var notices: [StatusReport.Notice] = []
    /// Nil until the fleet is told to stop.
    var stopping: Stopping?
    private let startedAt = ContinuousClock.now

    private static let tickInterval = Duration.seconds(1)
    private static let noticeLimit = 50

    /// Brings up what is missing and checks everything that has to be there; no worker is spawned yet. Blocking.
    package convenience init(_ configuration: CoordinatorConfiguration) throws {
        let problems = StreamValidation(configuration.streams).problems
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
        let folder = try RuntimeFolder(configuration.runtimeFolder)
        let mailbox = Mailbox()
        // Before Foundation spawns: signals that one of its threads takes would end us.
        let watch = StartWatch(signals: Self.blockSignals())
        var configuration = configuration
        let services = try EmbeddedServices(&configuration, watch) { mailbox.put(.childEnded($0, $1)) }
        do {
            try self.init(configuration, folder, services, mailbox, watch)
        } catch {
            services.end()
            throw error
        }
    }

    private init(
        _ configuration: CoordinatorConfiguration, _ folder: consuming RuntimeFolder, _ services: EmbeddedServices,
        _ mailbox: Mailbox, _ watch: StartWatch
    ) throws {
        self.configuration = configuration
        self.services = services
        self.mailbox = mailbox
        processes = services.processes
        edgeAddresses = try EdgePorts.pick(configuration.edges, control: folder.controlEndpoint, watch)
        var registry = try SourceRegistry(configuration)
        let generation = try registry.prepare()
        let found: [SourceRegistry.Entry]
        do { found = try registry.discover() } catch let error as KafkaError {
            throw StartError("Kafka: \(error)", .unavailable)
        }
        control = try Socket(.router, in: Context())
        try control.bind(folder.controlEndpoint)
        do {
            remote = try configuration.controlAddress.map {
                try RemoteControl($0, keys: KeyFolder(in: configuration.runtimeFolder))
            }
        } catch let error as ZeroMQError {
            throw StartError("control address \(configuration.controlAddress ?? ""): \(error.message)", .unavailable)
        }
        try Self.checkAdvertisedHost(configuration.advertisedHost)
        signals = watch.signals
        metrics = try configuration.metrics.map { try MetricsEndpoint($0) }
        notifier = try ServiceNotifier.fromEnvironment()
        fleet = FleetState(shardCount: configuration.shards, generation: generation)
        mailbox.put(.discovered(found, registry.takeNotices()))
        discovery = Discovery(registry, interval: configuration.discoveryInterval, mailbox: mailbox)
        self.folder = folder
    }

    deinit {
        close(signals)
    }

    /// A worker that can't bind there would die of it again and again.
    private static func checkAdvertisedHost(_ host: String?) throws {
        guard let host else { return }
        do throws(ZeroMQError) {
            try Socket(.publisher, in: Context()).bind("tcp://\(host):*")
        } catch {
            throw StartError("advertise_host \(host) is no address of this machine: \(error.message)", .configuration)
        }
    }

    /// Workers put their own mask right when they start.
    private static func blockSignals() -> Int32 {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    }

    /// Runs the fleet until it is told to stop and every worker is gone.
    package func run() throws -> ExitCode {
        perform(fleet.scale(to: configuration.shards, at: .now))
        startChildren()
        started()
        var nextTick = ContinuousClock.now
        var poller = Poller()
        while stopping != .finished {
            let due = min(
                nextTick, fleet.nextTick(after: .now) ?? nextTick, children.nextTick ?? nextTick,
                notifier?.watchdogDue ?? nextTick)
            poller.removeAll()
            poller.add(control)
            remote?.add(to: &poller)
            poller.add(descriptor: mailbox.descriptor, .read)
            let signal = poller.add(descriptor: signals, .read)
            try poller.wait(due - .now)
            if !poller.events(signal).isEmpty { takeSignals() }
            for item in mailbox.takeAll() { try handle(item) }
            while let parts = try control.receive() { try handle(parts) }
            try remote?.serve(answerRemote)
            if due <= .now {
                perform(fleet.tick(at: .now))
                perform(children.tick(at: .now))
                takeNewMock()
                ticked()
                nextTick = .now + Self.tickInterval
                refreshKeys()
            }
            goOnStopping()
            turned()
        }
        discovery.stop()
        return .success
    }

    /// A folder that can't be read leaves the list as it is, and is told once.
    private func refreshKeys() {
        do {
            if let remote, try remote.refresh() {
                for shard in workers.keys { send(shard, .allow(clients: remote.clients)) }
            }
            keysFailure = nil
        } catch {
            if keysFailure == nil { notice("\(error)") }
            keysFailure = "\(error)"
        }
    }

    private func takeSignals() {
        var info = signalfd_siginfo()
        while read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { stop() }
    }

    private func handle(_ item: Mailbox.Item) throws {
        switch item {
        case .exited(let shard, let pid):
            // An exit of a worker's former life is old news.
            guard let worker = workers[shard]?.identity, worker.pid == pid else { return }
            workers[shard] = nil
            counters.exited(shard)
            let inFlight = InFlightRecord.take(path: folder.inFlightPath(worker))
            folder.remove(worker)
            perform(fleet.exited(shard, inFlight: inFlight, at: .now, random: .random(in: 0...1)))
        case .childEnded(let name, let exit): ended(name, exit)
        case .discovered(let found, let news):
            discoveryFailure = nil
            for text in news { notice(text) }
            entries = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
            perform(fleet.discovered(Set(found.filter { $0.pausedBy == nil }.map(\.id)), at: .now))
        case .discoveryFailed(let reason):
            guard stopping != .services else { return }
            if discoveryFailure == nil { notice("discovery: \(reason)") }
            discoveryFailure = reason
        case .schemaLost(let reason):
            discoveryFailure = reason
            guard stopping == nil else { return }
            notice("stopping: \(reason)")
            stop()
        case .answered(let identity, let reply): try answer(identity, reply)
        case .resumed(let ids):
            fleet.forgive(ids)
            for id in ids { if let stream = entries[id]?.stream { tripped.remove(stream) } }
        }
    }

    // MARK: Performing

    func perform(_ actions: [FleetState.Action]) {
        for action in actions {
            switch action {
            case .spawn(let shard): spawn(shard)
            case .configure(let shard): configure(shard)
            case .assign(let shard, let generation, let sources):
                send(shard, .assign(generation: generation, sources: sources))
            case .release(let shard, let sources): send(shard, .release(sources: sources))
            case .drain(let shard): send(shard, .drain)
            case .kill(let shard): workers[shard]?.kill()
            case .quarantine(let place):
                let name = entries[place.source]?.partition.description ?? "source \(place.source)"
                notice("\(name) is quarantined: its record \(place.offset) was in hand each time a worker died")
                discovery.ask(.quarantine(place))
            case .finish: if stopping == .fleet { stopping = .edges }
            }
        }
    }

    private func spawn(_ shard: Int32) {
        do {
            let worker = try WorkerProcess(
                configuration.workerExecutable, shard: shard, control: folder.controlEndpoint
            ) { [mailbox] exit in mailbox.put(.exited(shard: shard, pid: exit.pid)) }
            workers[shard] = worker
            fleet.spawned(shard, pid: worker.pid)
            try? tellEdges()
        } catch {
            notice("shard \(shard): \(error)")
            perform(fleet.exited(shard, at: .now, random: 1))
        }
    }

    private func configure(_ shard: Int32) {
        guard let identity = workers[shard]?.identity else { return }
        var worker = WorkerConfiguration(
            streams: configuration.streams, kafka: configuration.kafka, postgres: configuration.postgres,
            schema: configuration.schema, feedEndpoint: folder.feedEndpoint(identity),
            batchRowLimit: configuration.batchRowLimit, breakerRecordCount: configuration.breakerRecordCount,
            inFlightPath: folder.inFlightPath(identity))
        do {
            worker.remoteFeed = try configuration.advertisedHost.flatMap { try remote?.feed(host: $0) }
        } catch {
            notice("shard \(shard): no feed for other hosts: \(error)")
        }
        send(shard, .configure(worker))
    }

    /// A worker that can't be reached is dead or hangs: its exit or its silence is what we act upon.
    private func send(_ shard: Int32, _ message: CoordinatorMessage) {
        guard let worker = workers[shard]?.identity else { return }
        do {
            let frame = try ControlEnvelope.encode(message)
            if !(try control.send([Array(worker.name.utf8), frame])) {
                report("shard \(shard) could not be reached")
            }
        } catch {
            report("shard \(shard): \(error)")
        }
    }

    func answer(_ identity: [UInt8], _ reply: CommandReply) throws {
        // Who asked may have gone: then nobody wants to know.
        _ = try control.send([identity, try ControlEnvelope.encode(reply)])
    }

    func report(_ line: String) {
        FileHandle.standardError.write(Data("coordinator: \(line)\n".utf8))
    }

    /// Says it now, and in `status` until many others have come.
    ///
    /// - Parameter isSaid: it was said already.
    func notice(_ text: String, isSaid: Bool = false) {
        if !isSaid { report(text) }
        notices.append(StatusReport.Notice(at: Date.now.timeIntervalSince1970, text: text))
        if notices.count > Self.noticeLimit { notices.removeFirst() }
    }

    func status() -> StatusReport {
        var report = StatusReport(
            fleet, counters,
            StatusReport.Surroundings(
                entries: entries, discoveryFailure: discoveryFailure, notices: notices,
                uptime: ContinuousClock.now - startedAt,
                kafka: .init(
                    bootstrap: configuration.kafka["bootstrap.servers"] ?? "", embedded: services.kafkaKind),
                postgres: .init(parameters: configuration.postgres, embedded: services.hasPostgres),
                control: folder.controlEndpoint,
                remoteControl: remote.map {
                    .init(endpoint: $0.endpoint, refused: $0.refusedCount, dropped: $0.droppedCount)
                }, now: .now))
        report.metrics = metrics?.address
        report.droppedFrames = droppedFrames
        report.edges = edges.rows(at: .now)
        addChildren(to: &report)
        return report
    }
}
