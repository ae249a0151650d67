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
    let scale: KeptScale
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
    /// What a worker said last that this program can't read.
    var foreignMessage: ForeignMessage?
    private let signals: Int32
    var discoveryFailure: String?
    private var troubles: [String] = []
    /// Who has paused something, and waits until no worker has it.
    var pausing: [Pausing] = []
    private var keysFailure: String?
    var tokenKeys: TokenKeySource
    /// Why a fleet that has started can't go on.
    private(set) var refusal: StartError?
    var notices: [StatusReport.Notice] = []
    var stalls = StallWatch()
    /// Nil unless in a group; likewise what follows.
    let shareHolder: ShareHolder?
    let membership: Membership?
    /// By which this coordinator's edges reach feeds of other hosts: of this life.
    let edgeKeys: CurveKeyPair?
    /// The others, as they were heard last.
    var members: [Member] = []
    /// What workers may still write, as it was in the database at a time.
    var claimedElsewhere: (sources: Set<SourceID>, asOf: ContinuousClock.Instant)?
    var knownSources = ""
    var ownsSchema = true
    var groupFailure: String?
    var hostRoll = HostRoll()
    /// Tells this start from others, to the other hosts of a group.
    let life = UUID().uuidString
    /// Nil until the fleet is told to stop.
    var stopping: Stopping?
    let startedAt = ContinuousClock.now

    private static let tickInterval = Duration.seconds(1)

    /// Brings up what is missing and checks everything that has to be there; no worker is spawned yet. Blocking.
    package convenience init(_ configuration: CoordinatorConfiguration) throws {
        let problems = StreamValidation(configuration.streams, schema: configuration.schema).problems
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
        if !configuration.lacksKafka { try configuration.checkKafkaProperties() }
        if configuration.group != nil, configuration.isEmbedding {
            throw StartError(
                "a group needs a Kafka and a Postgres that all its hosts reach: see docs/hosts.md", .usage)
        }
        let folder = try RuntimeFolder(configuration.runtimeFolder)
        let mailbox = Mailbox()
        // Before Foundation spawns: signals that one of its threads takes would end us.
        let watch = StartWatch(signals: Self.blockSignals())
        var configuration = configuration
        let scale = KeptScale(in: configuration.runtimeFolder, configured: configuration.shards)
        if !configuration.keepsScale { scale.forget() }
        if let kept = scale.shards {
            watch.say(
                "\(kept) shards, as `scale` set them; configured are \(configuration.shards): start --shards N says anew"
            )
            configuration.shards = kept
        }
        let services = try EmbeddedServices(&configuration, watch) { mailbox.put(.childEnded($0, $1)) }
        do {
            try self.init(configuration, folder, scale, services, mailbox, watch)
        } catch {
            services.end()
            throw error
        }
    }

    private init(
        _ configuration: CoordinatorConfiguration, _ folder: consuming RuntimeFolder, _ scale: KeptScale,
        _ services: EmbeddedServices, _ mailbox: Mailbox, _ watch: StartWatch
    ) throws {
        self.configuration = configuration
        self.scale = scale
        self.services = services
        self.mailbox = mailbox
        processes = services.processes
        edgeAddresses = try EdgePorts.pick(configuration.edges, control: folder.controlEndpoint, watch)
        let generation: Int64
        (discovery, generation) = try Self.begin(configuration, mailbox)
        // By now others have heard of this host.
        var isStarted = false
        defer { if !isStarted { Self.forget(configuration) } }
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
        tokenKeys = TokenKeySource(configuration)
        do throws(KafkaError) {
            shareHolder = try configuration.group.map { plan throws(KafkaError) in
                try ShareHolder(configuration, plan)
            }
        } catch {
            throw StartError("Kafka: \(error)", .configuration)
        }
        edgeKeys = try configuration.group.map { _ in try CurveKeyPair.generate() }
        membership = configuration.group.map { Membership(configuration, $0, mailbox) }
        self.folder = folder
        isStarted = true
    }

    /// Who does not start is not missed by the others of its group.
    private static func forget(_ configuration: CoordinatorConfiguration) {
        guard let plan = configuration.group, var table = try? MemberTable(configuration, plan) else { return }
        // Else they forget it by themselves in an hour.
        try? table.forget()
    }

    deinit {
        close(signals)
    }

    /// Makes the tables and finds the partitions; in an outage that is waited for, the second thread does so later.
    private static func begin(
        _ configuration: CoordinatorConfiguration, _ mailbox: Mailbox
    ) throws -> (Discovery, generation: Int64) {
        do {
            var registry = try SourceRegistry(configuration)
            let generation = try registry.prepare()
            if configuration.embedded.postgres, !configuration.edges.isOpen, try registry.hasNoUsers() {
                Log.standard.say(
                    "nobody can sign in yet, and only users publish through edges; make the first one: "
                        + "coordinator users add NAME --role admin --runtime-dir \(configuration.runtimeFolder)")
            }
            mailbox.put(.discovered(try registry.discover(), registry.takeNotices()))
            return (Discovery(registry, interval: configuration.discoveryInterval, mailbox: mailbox), generation)
        } catch {
            guard StartError.refusal(error) == nil, configuration.waitsAtStart else {
                throw error is KafkaError ? StartError("Kafka: \(error)", .unavailable) : error
            }
            mailbox.put(.discoveryFailed("\(error)"))
            return (Discovery(waitingFor: configuration, mailbox: mailbox), 0)
        }
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
            if let shareHolder { poller.add(descriptor: shareHolder.descriptor, .read) }
            let signal = poller.add(descriptor: signals, .read)
            try poller.wait(min(due, shareHolder?.nextWake ?? due) - .now)
            if !poller.events(signal).isEmpty { takeSignals() }
            for item in mailbox.takeAll() { try handle(item) }
            while let parts = try control.receive() { try handle(parts) }
            try remote?.serve(answerRemote)
            serveGroup()
            if due <= .now {
                perform(fleet.tick(at: .now))
                perform(children.tick(at: .now))
                takeNewMock()
                checkFolder()
                ticked()
                nextTick = .now + Self.tickInterval
                refreshKeys()
            }
            try answerPaused()
            goOnStopping()
            turned()
        }
        try leaveGroup()
        discovery.stop()
        membership?.stop()
        if let refusal { throw refusal }
        return .success
    }

    /// Two fleets in one place would write each other's files.
    private func checkFolder() {
        guard stopping == nil, !folder.isThere else { return }
        notice("stopping: the runtime folder \(folder.path) was removed")
        stop()
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
        case .kafkaMoved(let kafka): move(to: kafka)
        case .discovered(let found, let news):
            for text in news { notice(text) }
            trouble(found.troubles)
            renew(found.remade)
            let before = entries
            entries = Dictionary(uniqueKeysWithValues: found.entries.map { ($0.id, $0) })
            // Whoever has resumed them, on this host or another.
            forgive(found.entries.filter { $0.hold == nil && before[$0.id]?.hold != nil }.map(\.id))
            ownsSchema = found.ownsSchema
            assign()
        case .discoveryFailed(let reason): trouble([reason])
        case .prepared(let generation): fleet.learn(generation: generation)
        case .startRefused(let error): refuse(error)
        case .members(let heard): hear(heard)
        case .asked(let request): perform(request)
        case .notAsked(let why): notice(why)
        case .schemaLost(let reason):
            discoveryFailure = reason
            guard stopping == nil else { return }
            notice("stopping: \(reason)")
            stop()
        case .answered(let identity, let reply): try answer(identity, reply)
        case .paused(let ids, let identity):
            pausing.append(Pausing(sources: ids, identity: identity, since: .now))
        case .resumed(let ids, let identity):
            forgive(ids)
            assign()
            try answer(identity, .done)
        }
    }

    /// Sources that killed workers get another try, and streams of dead letters too.
    private func forgive(_ ids: [SourceID]) {
        fleet.forgive(ids)
        for id in ids { if let stream = entries[id]?.stream { tripped.remove(stream) } }
    }

    /// It can't go on, and says why when it has ended.
    func refuse(_ error: StartError) {
        refusal = error
        discoveryFailure = error.description
        stop()
    }

    func assign() {
        perform(fleet.discovered(Set(entries.values.filter { $0.hold == nil && isShared($0) }.map(\.id)), at: .now))
    }

    /// Each is said when it comes; while services end there is always some.
    private func trouble(_ found: [String]) {
        guard stopping != .services else { return }
        for text in found where !troubles.contains(text) { notice("discovery: \(text)") }
        troubles = found
        discoveryFailure = found.isEmpty ? nil : found.joined(separator: "; ")
    }
}
