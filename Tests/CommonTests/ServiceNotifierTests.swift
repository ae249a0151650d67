import Common
import TestSupport
import Testing

@Suite("The service notifier", .timeLimit(.minutes(1)))
struct ServiceNotifierTests {
    private let start = ContinuousClock.now

    @Test("Start, changes of health, stop: each is told once", arguments: [false, true])
    func life(isAbstract: Bool) throws {
        let socket = try NotifySocket(isAbstract: isAbstract)
        let notifier = try #require(try ServiceNotifier(socket: socket.name))
        notifier.started(status: "fine", at: start)
        notifier.say(status: "fine")
        notifier.turned(isStopping: false, at: start)
        notifier.say(status: "not\nso fine")
        notifier.turned(isStopping: true, at: start)
        notifier.turned(isStopping: true, at: start)
        #expect(socket.receive() == "READY=1\nSTATUS=fine")
        #expect(socket.receive() == "STATUS=not so fine")
        #expect(socket.receive() == "STOPPING=1")
        #expect(socket.receive(.zero) == nil)
        #expect(notifier.watchdogDue == nil && notifier.takeFailure() == nil)
    }

    @Test("Signs of life come at half the watchdog's time, from the start on")
    func watchdog() throws {
        let socket = try NotifySocket(isAbstract: true)
        let notifier = try #require(try ServiceNotifier(socket: socket.name, watchdogMicroseconds: "3000000"))
        #expect(notifier.watchdogDue == nil)
        notifier.started(status: "", at: start)
        _ = socket.receive()
        #expect(notifier.watchdogDue == start + .milliseconds(1500))
        notifier.turned(isStopping: false, at: start + .milliseconds(1499))
        #expect(socket.receive(.zero) == nil)
        notifier.turned(isStopping: false, at: start + .milliseconds(1600))
        #expect(socket.receive() == "WATCHDOG=1")
        #expect(notifier.watchdogDue == start + .milliseconds(3100))
    }

    @Test("A watchdog that waits for another process gets nothing from this one")
    func anotherProcess() throws {
        let socket = try NotifySocket(isAbstract: true)
        let notifier = try #require(
            try ServiceNotifier(socket: socket.name, watchdogMicroseconds: "3000000", watchdogProcess: "1"))
        notifier.started(status: "", at: start)
        #expect(notifier.watchdogDue == nil)
    }

    @Test("Without a service manager there is no notifier; an address that is none is told")
    func addresses() throws {
        #expect(try ServiceNotifier(socket: nil) == nil)
        #expect(try ServiceNotifier(socket: "") == nil)
        for wrong in ["relative", "@", "vsock:2:1", "/" + String(repeating: "a", count: 200)] {
            do {
                _ = try ServiceNotifier(socket: wrong)
                Issue.record("'\(wrong)' was taken")
            } catch {
                #expect(error.exitCode == .configuration)
            }
        }
    }

    @Test("A manager that is gone is told once, and does no other harm")
    func gone() throws {
        let notifier = try #require(try ServiceNotifier(socket: "/nonexistent/notify"))
        notifier.started(status: "", at: start)
        #expect(notifier.takeFailure()?.contains("No such file") == true)
        notifier.say(status: "other")
        #expect(notifier.takeFailure() == nil)
    }
}
