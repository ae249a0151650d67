private import CLinux
import Common
import Foundation
private import Synchronization

/// The thread on which a coordinator tells the others of its group about itself, and hears of them: once a second. Whatever
/// becomes of that, partitions and rows are as they were.
final class Membership: Sendable {
    private struct State {
        var report: MemberReport?
        var ownsSchema = false
        var isStopped = false
    }

    private static let interval = Duration.seconds(1)
    private static let stopLimit = Duration.seconds(2)

    private let configuration: CoordinatorConfiguration
    private let plan: GroupPlan
    private let mailbox: Mailbox
    private let state = Mutex(State())
    private let wake: Int32
    private let ended = DispatchSemaphore(value: 0)

    init(_ configuration: CoordinatorConfiguration, _ plan: GroupPlan, _ mailbox: Mailbox) {
        self.configuration = configuration
        self.plan = plan
        self.mailbox = mailbox
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "membership"
        thread.start()
    }

    deinit {
        close(wake)
    }

    /// What is told from now on.
    func say(_ report: MemberReport, ownsSchema: Bool) {
        state.withLock {
            $0.report = report
            $0.ownsSchema = ownsSchema
        }
    }

    /// Blocking, for a short time.
    func stop() {
        state.withLock { $0.isStopped = true }
        var one: UInt64 = 1
        _ = write(wake, &one, MemoryLayout<UInt64>.size)
        _ = ended.wait(timeout: .now() + Self.stopLimit / .seconds(1))
    }

    private func run() {
        var isFirst = true
        while wait() {
            // Postgres is away: the registry's thread says so.
            guard var table = try? MemberTable(configuration, plan) else { continue }
            while wait() {
                let (report, ownsSchema) = state.withLock { ($0.report, $0.ownsSchema) }
                guard let report else { continue }
                guard let heard = try? table.exchange(report, ownsSchema: ownsSchema, isFirst: isFirst) else { break }
                isFirst = false
                mailbox.put(.members(heard))
                for request in (try? table.takeRequests()) ?? [] {
                    mailbox.put(
                        request.map { .asked($0) }
                            ?? .notAsked(
                                "another host asks for something that this version does not know: nothing is done"))
                }
            }
            if state.withLock({ $0.isStopped }) { try? table.forget() }
        }
    }

    /// False when it was told to stop.
    private func wait() -> Bool {
        var entry = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, Int32(Self.interval / .milliseconds(1)))
        return state.withLock { !$0.isStopped }
    }
}
