package import Common
private import Synchronization
private import WebServer

/// Metrics and health over HTTP. The loop publishes, the server's thread reads: it never touches the coordinator.
package final class MetricsEndpoint {
    private final class Published: Sendable {
        let snapshot = Mutex<FleetSnapshot?>(nil)
        let start = ContinuousClock.now
    }

    private let published: Published
    private let server: WebServerThread

    package init(_ address: ListenAddress) throws(StartError) {
        let published = Published()
        var limits = WebServerLimits()
        limits.connections = 64
        do throws(WebServerError) {
            server = try WebServerThread(address, limits: limits, name: "metrics") {
                var routes = Routes()
                routes.notFound = MetricsPages.paths.joined(separator: "\n") + "\n"
                for path in ["/"] + MetricsPages.paths {
                    routes.get(path) { exchange in
                        let snapshot = published.snapshot.withLock { $0 }
                        let pages = MetricsPages(snapshot, start: published.start, now: .now)
                        exchange.respond(pages.answer(exchange.request.path))
                    }
                }
                return routes
            }
        } catch {
            throw StartError(
                "metrics can't be served on \(address): \(error); choose another address with --metrics", .unavailable)
        }
        self.published = published
    }

    /// What was bound, with the port that was picked.
    package var address: String { server.address.description }

    package func publish(_ snapshot: FleetSnapshot) {
        // What was there is freed after the lock.
        _ = published.snapshot.withLock { published in
            let former = published
            published = snapshot
            return former
        }
    }
}
