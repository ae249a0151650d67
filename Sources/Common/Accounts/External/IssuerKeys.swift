package import Common
private import Foundation

/// The keys of issuers that a fleet trusts, read on a thread of its own for as long as the process lives: now and then, and
/// when a token names one that is not known.
///
/// Sendable by this proof: whatever changes is read and written with the condition locked; the rest is constant.
package final class IssuerKeys: @unchecked Sendable {
    package struct Intervals: Sendable {
        package var refresh = Duration.seconds(600)
        /// After a failure, and between readings that tokens ask for.
        package var retry = Duration.seconds(60)

        package init() {}
    }

    private struct Entry {
        let definition: ExternalIssuer
        var keys: [TokenKey] = []
        var readAt: ContinuousClock.Instant?
        var failure: String?
        var isWanted = true
    }

    private let intervals: Intervals
    /// Called on the thread when keys have changed.
    private let changed: @Sendable () -> Void
    // Guards everything below.
    private let condition = NSCondition()
    private var entries: [String: Entry] = [:]
    private var isRunning = false

    package init(intervals: Intervals = .init(), changed: @escaping @Sendable () -> Void) {
        self.intervals = intervals
        self.changed = changed
    }

    /// From now on these count, and no others. Keys of those that stay are kept.
    package func use(_ definitions: [ExternalIssuer]) {
        condition.lock()
        defer { condition.unlock() }
        let old = entries
        entries = [:]
        for definition in definitions {
            let kept = old[definition.issuer]
            entries[definition.issuer] = kept?.definition == definition ? kept : Entry(definition: definition)
        }
        if !isRunning, !definitions.isEmpty {
            isRunning = true
            let thread = Thread { [self] in run() }
            thread.name = "issuers"
            thread.start()
        }
        condition.signal()
    }

    package var issuers: [String: (definition: ExternalIssuer, keys: [TokenKey])] {
        condition.lock()
        defer { condition.unlock() }
        return entries.mapValues { ($0.definition, $0.keys) }
    }

    /// A token names a key that is not here. False: it was looked for just now, and is not there.
    package func want(_ issuer: String) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard let entry = entries[issuer] else { return false }
        if entry.isWanted { return true }
        guard entry.readAt.map({ ContinuousClock.now - $0 >= intervals.retry }) ?? true else { return false }
        entries[issuer]?.isWanted = true
        condition.signal()
        return true
    }

    private func run() -> Never {
        while true { read(waitForNext()) }
    }

    private func waitForNext() -> ExternalIssuer {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let now = ContinuousClock.now
            let next = entries.values.map { (due: due($0, now), definition: $0.definition) }.min { $0.due < $1.due }
            guard let next else {
                condition.wait()
                continue
            }
            if next.due <= now { return next.definition }
            _ = condition.wait(until: Date(timeIntervalSinceNow: (next.due - now) / .seconds(1)))
        }
    }

    private func due(_ entry: Entry, _ now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard let readAt = entry.readAt, !entry.isWanted else { return now }
        return readAt + (entry.failure == nil ? intervals.refresh : intervals.retry)
    }

    private func read(_ definition: ExternalIssuer) {
        var keys: [TokenKey]?
        var failure: String?
        do throws(StartError) {
            keys = PublicKeys.read(try KeySetReader.read(definition.jwks))
            if keys == nil { failure = "\(definition.jwks) is no JSON Web Key set" }
            if keys?.isEmpty == true { failure = "\(definition.jwks) has no key that signs with RS256, ES256 or EdDSA" }
        } catch {
            failure = error.description
        }
        condition.lock()
        let old = entries[definition.issuer]
        guard old?.definition == definition else { return condition.unlock() }
        entries[definition.issuer]?.readAt = .now
        entries[definition.issuer]?.isWanted = false
        entries[definition.issuer]?.failure = failure
        // An answer that can't be read takes no key away.
        if let keys, !keys.isEmpty { entries[definition.issuer]?.keys = keys }
        let isNew = entries[definition.issuer]?.keys != old?.keys
        condition.unlock()
        if let failure, failure != old?.failure {
            Log.standard.say("keys of the issuer \(definition.issuer): \(failure)", .warning)
        }
        if isNew { changed() }
    }
}
