import Synchronization

/// What several threads found.
final class SecretCollection: Sendable {
    private let secrets = Mutex<Set<String>>([])

    var all: Set<String> { secrets.withLock { $0 } }

    func append(_ secret: String) {
        secrets.withLock { _ = $0.insert(secret) }
    }
}
