package import Common
private import HTTPServer
private import Synchronization

/// Metrics and health over HTTP. The loop publishes, the server's thread reads: it never touches the coordinator.
package final class MetricsEndpoint {
    private final class Published: Sendable {
        let snapshot = Mutex<FleetSnapshot?>(nil)
        let start = ContinuousClock.now
    }

    private let published: Published
    private let server: Server

    package init(_ address: ListenAddress) throws(StartError) {
        let published = Published()
        do throws(HTTPError) {
            server = try Server(host: address.host, port: address.port) { path in
                let snapshot = published.snapshot.withLock { $0 }
                return MetricsPages(snapshot, start: published.start, now: .now).answer(path)
            }
        } catch {
            throw StartError(
                "metrics can't be served on \(address): \(error); choose another address with --metrics", .unavailable)
        }
        self.published = published
    }

    /// What was bound, with the port that was picked.
    package var address: String { server.address }

    package func publish(_ snapshot: FleetSnapshot) {
        // What was there is freed after the lock.
        _ = published.snapshot.withLock { published in
            let former = published
            published = snapshot
            return former
        }
    }
}
