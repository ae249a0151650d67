import Accounts
import Common

/// What a coordinator tells its edges of the keys for tokens. The file is read again now and then: somebody may rotate them.
struct TokenKeySource {
    private static let interval = Duration.seconds(10)

    private let runtimeFolder: String
    private let configured: TokenKeys?
    private var kept: TokenKeys?
    private var readAt: ContinuousClock.Instant?
    /// Why there are none, or none newer.
    private(set) var failure: String?

    init(_ configuration: CoordinatorConfiguration) {
        runtimeFolder = configuration.runtimeFolder
        configured = configuration.tokenKeys
    }

    /// Nil while they can't be read.
    mutating func text(at now: ContinuousClock.Instant) -> String? {
        if let configured { return configured.text }
        if let readAt, now - readAt < Self.interval { return kept?.text }
        readAt = now
        do throws(StartError) {
            kept = try KeyFolder(in: runtimeFolder).tokenKeys()
            failure = nil
        } catch {
            failure = "keys for tokens: \(error)"
        }
        return kept?.text
    }
}
