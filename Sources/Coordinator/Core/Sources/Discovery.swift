private import CLinux
import Common
import Foundation
import Kafka
import Postgres
private import Synchronization

/// The coordinator's second thread: asks again and again which partitions there are, does what has to be written
/// into the database, and keeps the tables in order. Those wait for Kafka and Postgres, and the coordinator's loop
/// must not.
final class Discovery: Sendable {
    /// What the loop asks for. Bounded: commands are a person's, the others happen once a source or stream.
    enum Request: Sendable {
        /// - Parameter answer: to whom, on the control socket.
        case rediscover(answer: [UInt8]?)
        case pause(PauseTarget, by: String, answer: [UInt8]?)
        case resume(PauseTarget, by: String, answer: [UInt8])
        case quarantine(InFlightRecord.Place)
        /// Kafka does not have its position.
        case stop(SourceID, because: String)
        case audit(action: String, by: String, detail: String)
        /// Of other coordinators of the group.
        case askMembers([String], MemberRequest)
        /// Kafka is elsewhere now: its properties.
        case kafka([String: String])

        /// On the control socket.
        var asker: [UInt8]? {
            switch self {
            case .rediscover(let answer), .pause(_, _, let answer): answer
            case .resume(_, _, let answer): answer
            case .quarantine, .stop, .audit, .askMembers, .kafka: nil
            }
        }

        /// Nobody is told when it fails.
        var isOwn: Bool {
            switch self {
            case .pause(_, _, let answer): answer == nil
            case .quarantine, .stop, .audit, .askMembers, .kafka: true
            case .rediscover, .resume: false
            }
        }
    }

    private struct State {
        var requests: [Request] = []
        var isStopped = false
    }

    private static let checkInterval = Duration.seconds(60)
    /// Of those that read what another has found.
    private static let followInterval = Duration.seconds(1)
    /// When one answer about partitions has to be confirmed by another.
    private static let doubtInterval = Duration.seconds(1)

    /// What was asked for last is still written, such as who has scaled: for no longer.
    private static let stopLimit = Duration.seconds(2)

    private let ended = DispatchSemaphore(value: 0)
    private let state = Mutex(State())
    private let wake: Int32
    private let mailbox: Mailbox
    private let interval: Duration

    /// Takes the registry over; its connection holds the fleet's lock while the thread lives.
    init(_ registry: consuming SourceRegistry, interval: Duration, mailbox: Mailbox) {
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        self.mailbox = mailbox
        self.interval = interval
        let box = RegistryBox(registry)
        begin { [self] in run(box) }
    }

    /// For a fleet that starts in an outage: tries until it is over, and then tells what would have been known at the start.
    init(waitingFor configuration: CoordinatorConfiguration, mailbox: Mailbox) {
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        self.mailbox = mailbox
        interval = configuration.discoveryInterval
        begin { [self] in if let box = prepare(configuration) { run(box) } }
    }

    private func begin(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [ended] in
            body()
            ended.signal()
        }
        thread.name = "discovery"
        thread.start()
    }

    /// Nil when it was told to stop, or a person has to mend something.
    private func prepare(_ configuration: CoordinatorConfiguration) -> RegistryBox? {
        while wait(interval) {
            do {
                let box = RegistryBox(try SourceRegistry(configuration))
                let generation = try box.registry.prepare()
                let found = try box.registry.discover()
                mailbox.put(.prepared(generation: generation))
                mailbox.put(.discovered(found, box.registry.takeNotices()))
                return box
            } catch {
                guard let refusal = StartError.refusal(error) else {
                    mailbox.put(.discoveryFailed("\(error)"))
                    continue
                }
                mailbox.put(.startRefused(refusal))
                return nil
            }
        }
        return nil
    }

    deinit {
        close(wake)
    }

    /// Blocking, for a short time.
    func stop() {
        state.withLock { $0.isStopped = true }
        signal()
        _ = ended.wait(timeout: .now() + Self.stopLimit / .seconds(1))
    }

    func ask(_ request: Request) {
        state.withLock { $0.requests.append(request) }
        signal()
    }

    private func signal() {
        var one: UInt64 = 1
        _ = write(wake, &one, MemoryLayout<UInt64>.size)
    }

    private func run(_ box: RegistryBox) {
        var nextCheck = ContinuousClock.now + Self.checkInterval
        let maintenanceInterval = box.registry.configuration.maintenanceInterval
        var nextMaintenance = ContinuousClock.now + maintenanceInterval
        while wait(pause(box)) {
            let requests = state.withLock { state in
                defer { state.requests.removeAll() }
                return state.requests
            }
            // Who asks wants to know what is true now, and a doubt wants to be settled.
            let checking = nextCheck <= .now || !requests.isEmpty || !box.registry.doubts.isEmpty
            if checking { nextCheck = .now + Self.checkInterval }
            var outcomes = perform(requests, box)
            // Whatever becomes of the rest: who asked is told.
            func tell() {
                for outcome in outcomes { mailbox.put(outcome) }
                outcomes.removeAll()
            }
            defer { tell() }
            do {
                mailbox.put(.discovered(try box.registry.discover(checking: checking), box.registry.takeNotices()))
                tell()
                if let kafka = box.registry.takeMove() { mailbox.put(.kafkaMoved(kafka)) }
                if nextMaintenance <= .now, box.registry.ownsSchema {
                    nextMaintenance = .now + maintenanceInterval
                    let done = try box.registry.maintain()
                    if done.hasMore { nextMaintenance = .now }
                }
            } catch let error as StartError where error.isHeldByAnother {
                mailbox.put(.schemaLost("\(error)"))
            } catch {
                mailbox.put(.discoveryFailed("\(error)"))
            }
        }
        _ = perform(state.withLock { $0.requests }, box)
    }

    private func pause(_ box: RegistryBox) -> Duration {
        guard box.registry.ownsSchema else { return min(interval, Self.followInterval) }
        return box.registry.doubts.isEmpty ? interval : min(interval, Self.doubtInterval)
    }

    /// All of them, whatever becomes of one. The coordinator's own are tried again with the next turn while Postgres is away;
    /// what it refuses is told and left.
    ///
    /// - Returns: what the loop is to hear once it knows what there is now.
    private func perform(_ requests: [Request], _ box: RegistryBox) -> [Mailbox.Item] {
        requests.compactMap { request in
            do {
                return try perform(request, box)
            } catch {
                let isOutage = (error as? PostgresError)?.disposition == .outage || error is StartError
                if request.isOwn, isOutage { state.withLock { $0.requests.append(request) } }
                guard let identity = request.asker else {
                    if !isOutage { box.registry.notices.append("not written into the database: \(error)") }
                    return nil
                }
                return .answered(identity, .refused("\(error)"))
            }
        }
    }

    private func perform(_ request: Request, _ box: RegistryBox) throws -> Mailbox.Item? {
        switch request {
        case .rediscover(let answer): return answer.map { .answered($0, .done) }
        case .pause(let target, let by, let answer):
            let ids = try box.registry.pause(target, by: by)
            return answer.map { ids.isEmpty ? .answered($0, Self.refusal(target)) : .paused(ids, answer: $0) }
        case .resume(let target, let by, let answer):
            let ids = try box.registry.resume(target, by: by)
            return ids.isEmpty ? .answered(answer, Self.refusal(target)) : .resumed(ids, answer: answer)
        case .quarantine(let place): try box.registry.quarantine(place)
        case .stop(let source, let reason): try box.registry.stop(source, because: reason)
        case .kafka(let properties): box.registry.move(to: properties)
        case .askMembers(let names, let request): try box.registry.ask(names, request)
        case .audit(let action, let by, let detail): try box.registry.audit(action, by: by, detail)
        }
        return nil
    }

    private static func refusal(_ target: PauseTarget) -> CommandReply {
        .refused("'\(target.name)' is no stream or topic that could be: coordinator status shows what there is")
    }

    /// False when it was told to stop.
    private func wait(_ interval: Duration) -> Bool {
        let milliseconds = interval.components.seconds * 1000 + interval.components.attoseconds / 1_000_000_000_000_000
        var entry = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, Int32(clamping: milliseconds))
        var counter: UInt64 = 0
        _ = read(wake, &counter, MemoryLayout<UInt64>.size)
        return state.withLock { !$0.isStopped }
    }
}

extension StartError {
    /// Why a start is not to be tried again; nil for an outage.
    static func refusal(_ error: any Error) -> StartError? {
        switch error {
        case is KafkaError: nil
        case let error as PostgresError:
            error.disposition == .outage ? nil : StartError("Postgres: \(error)", .configuration)
        case let error as StartError: error.exitCode == .unavailable && !error.isHeldByAnother ? nil : error
        default: StartError("\(error)", .internalError)
        }
    }
}

/// Hands the registry to the one thread that uses it from then on.
///
/// Sendable by this proof: the box is made before the thread starts and touched only by that thread after.
private final class RegistryBox: @unchecked Sendable {
    var registry: SourceRegistry

    init(_ registry: consuming SourceRegistry) {
        self.registry = registry
    }
}
