package import Common
private import Foundation
private import Synchronization

/// A server on a thread of its own, which ends with this value. Signals that somebody else waits for must be blocked
/// before: the thread inherits the mask.
package final class WebServerThread {
    private final class State: Sendable {
        let isEnding = Mutex(false)
        let started = Mutex<Result<ListenAddress, WebServerError>?>(nil)
        let waker = Mutex<ServerWaker?>(nil)
        let hasStarted = DispatchSemaphore(value: 0)
        let hasEnded = DispatchSemaphore(value: 0)
    }

    /// What was bound, with the port that was picked.
    package let address: ListenAddress
    private let state: State

    /// - Parameter routes: called on the thread; must not wait, nor must what it returns.
    package init(
        _ address: ListenAddress, limits: WebServerLimits = .init(), name: String,
        _ routes: @escaping @Sendable () -> Routes
    ) throws(WebServerError) {
        let state = State()
        let thread = Thread { Self.run(address, limits, routes, state) }
        thread.name = name
        thread.start()
        state.hasStarted.wait()
        self.address = try state.started.withLock { $0! }.get()
        self.state = state
    }

    private static func run(
        _ address: ListenAddress, _ limits: WebServerLimits, _ routes: () -> Routes, _ state: State
    ) {
        defer { state.hasEnded.signal() }
        let server: WebServer
        do throws(WebServerError) {
            server = try WebServer(address, limits: limits, routes())
        } catch {
            state.started.withLock { $0 = .failure(error) }
            state.hasStarted.signal()
            return
        }
        state.started.withLock { $0 = .success(server.address) }
        state.waker.withLock { $0 = server.waker }
        state.hasStarted.signal()
        server.run(until: { state.isEnding.withLock { $0 } }, woken: {}, ticked: {})
    }

    deinit {
        state.isEnding.withLock { $0 = true }
        state.waker.withLock { $0?.wake() }
        state.hasEnded.wait()
    }
}
