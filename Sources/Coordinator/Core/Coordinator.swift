private import CLinux
package import Common
import Foundation
import Kafka
import ZeroMQ

/// The coordinator's loop: one thread, one wait over the control socket, signals and what other threads tell.
///
/// It performs what `FleetState` decides. No record passes through it.
package final class Coordinator {
    private let configuration: CoordinatorConfiguration
    private let folder: RuntimeFolder
    private let control: Socket
    private let signals: Int32
    private let mailbox = Mailbox()
    private let discovery: Discovery
    private var fleet: FleetState
    private var entries: [SourceID: SourceRegistry.Entry] = [:]
    private var workers: [Int32: WorkerProcess] = [:]
    private var counters = FleetCounters()
    private var discoveryFailure: String?
    private var isFinished = false
    private let startedAt = ContinuousClock.now

    private static let tickInterval = Duration.seconds(1)

    /// Checks everything that has to be there; nothing is spawned yet. Blocking.
    package init(_ configuration: CoordinatorConfiguration) throws {
        let problems = StreamValidation(configuration.streams).problems
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
        folder = try RuntimeFolder(configuration.runtimeFolder)
        self.configuration = configuration
        var registry = try SourceRegistry(configuration)
        let generation = try registry.prepare()
        let found = try registry.discover()
        control = try Socket(.router, in: Context())
        try control.bind(folder.controlEndpoint)
        signals = Self.blockSignals()
        fleet = FleetState(shardCount: configuration.shards, generation: generation)
        mailbox.put(.discovered(found))
        discovery = Discovery(registry, interval: configuration.discoveryInterval, mailbox: mailbox)
    }

    deinit {
        close(signals)
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
        var nextTick = ContinuousClock.now
        var poller = Poller()
        while !isFinished {
            let due = min(nextTick, fleet.nextTick ?? nextTick)
            poller.removeAll()
            poller.add(control)
            poller.add(descriptor: mailbox.descriptor, .read)
            let signal = poller.add(descriptor: signals, .read)
            try poller.wait(due - .now)
            if !poller.events(signal).isEmpty { takeSignals() }
            for item in mailbox.takeAll() { handle(item) }
            while let parts = try control.receive() { try handle(parts) }
            if due <= .now {
                perform(fleet.tick(at: .now))
                nextTick = .now + Self.tickInterval
            }
        }
        discovery.stop()
        return .success
    }

    private func takeSignals() {
        var info = signalfd_siginfo()
        while read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { perform(fleet.stop(at: .now)) }
    }

    private func handle(_ item: Mailbox.Item) {
        switch item {
        case .exited(let shard, let pid):
            // An exit of a worker's former life is old news.
            guard workers[shard]?.pid == pid else { return }
            workers[shard] = nil
            counters.exited(shard)
            perform(fleet.exited(shard, at: .now, random: .random(in: 0...1)))
        case .discovered(let found):
            discoveryFailure = nil
            entries = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
            perform(fleet.discovered(Set(entries.keys), at: .now))
        case .discoveryFailed(let reason):
            if discoveryFailure == nil { Self.report("discovery: \(reason)") }
            discoveryFailure = reason
        case .schemaLost(let reason):
            discoveryFailure = reason
            guard !fleet.isStopping else { return }
            Self.report("stopping: \(reason)")
            perform(fleet.stop(at: .now))
        }
    }

    private func handle(_ parts: [[UInt8]]) throws {
        guard parts.count == 2 else { return }
        let name = String(decoding: parts[0], as: UTF8.self)
        if name.hasPrefix("shard-"), let shard = Int32(name.dropFirst("shard-".count)) {
            guard let message = ControlEnvelope<WorkerMessage>.decode(parts[1]) else { return }
            handle(message, from: shard)
        } else if let request = ControlEnvelope<CommandRequest>.decode(parts[1]) {
            _ = try control.send([parts[0], try ControlEnvelope.encode(answer(request))])
        }
    }

    private func handle(_ message: WorkerMessage, from shard: Int32) {
        let now = ContinuousClock.now
        switch message {
        case .hello(_, let pid, _): perform(fleet.hello(shard, pid: pid, at: now))
        case .heartbeat(let progress):
            perform(fleet.heartbeat(shard, progress, at: now))
            counters.heartbeat(shard, progress, at: now)
        case .released(let sources): perform(fleet.released(shard, sources, at: now))
        case .failed(let what, let reason, let sources):
            Self.report("shard \(shard): \(what): \(reason)")
            if what == "claim" { fleet.lost(shard, sources) }
        }
    }

    private func answer(_ request: CommandRequest) -> CommandReply {
        switch request {
        case .status: return .status(status())
        case .scale(let count):
            guard (1...1000).contains(count) else { return .refused("shards must be 1 to 1000, not \(count)") }
            perform(fleet.scale(to: count, at: .now))
            return .done
        case .stop:
            perform(fleet.stop(at: .now))
            return .done
        }
    }

    // MARK: Performing

    private func perform(_ actions: [FleetState.Action]) {
        for action in actions {
            switch action {
            case .spawn(let shard): spawn(shard)
            case .configure(let shard): send(shard, .configure(workerConfiguration(shard)))
            case .assign(let shard, let generation, let sources):
                send(shard, .assign(generation: generation, sources: sources))
            case .release(let shard, let sources): send(shard, .release(sources: sources))
            case .drain(let shard): send(shard, .drain)
            case .kill(let shard): workers[shard]?.kill()
            case .finish: isFinished = true
            }
        }
    }

    private func spawn(_ shard: Int32) {
        do {
            let worker = try WorkerProcess(
                configuration.workerExecutable, shard: shard, control: folder.controlEndpoint
            ) { [mailbox] pid in mailbox.put(.exited(shard: shard, pid: pid)) }
            workers[shard] = worker
            fleet.spawned(shard, pid: worker.pid)
        } catch {
            Self.report("shard \(shard): can't start \(configuration.workerExecutable): \(error.localizedDescription)")
            perform(fleet.exited(shard, at: .now, random: 1))
        }
    }

    private func workerConfiguration(_ shard: Int32) -> WorkerConfiguration {
        WorkerConfiguration(
            streams: configuration.streams, kafka: configuration.kafka, postgres: configuration.postgres,
            schema: configuration.schema, feedEndpoint: folder.feedEndpoint(shard))
    }

    /// A worker that can't be reached is dead or hangs: its exit or its silence is what we act upon.
    private func send(_ shard: Int32, _ message: CoordinatorMessage) {
        do {
            let frame = try ControlEnvelope.encode(message)
            if !(try control.send([Array("shard-\(shard)".utf8), frame])) {
                Self.report("shard \(shard) could not be reached")
            }
        } catch {
            Self.report("shard \(shard): \(error)")
        }
    }

    private static func report(_ line: String) {
        FileHandle.standardError.write(Data("coordinator: \(line)\n".utf8))
    }

    private func status() -> StatusReport {
        StatusReport(
            fleet: fleet, entries: entries, counters: counters, discoveryFailure: discoveryFailure,
            uptime: ContinuousClock.now - startedAt, bootstrap: configuration.kafka["bootstrap.servers"] ?? "",
            control: folder.controlEndpoint)
    }
}
