import Feed

/// Who may see an answer about a log: what caches are told.
enum LogAudience: Hashable, Sendable {
    /// Anyone: one copy serves all.
    case anyone
    /// Whoever has a role for it: it is the same for all of them, but only they may keep it.
    case readers
    /// Whoever has a token that shows only this.
    case some(RowFilter)

    var filter: RowFilter { if case .some(let filter) = self { filter } else { RowFilter() } }

    /// A day: so long copies of rows may be there after retention has deleted them.
    private static let completeSeconds = 86_400
    /// What grows: those who ask at the same time share it, also while it is read anew (RFC 5861, section 3).
    private static let growing = "max-age=1, stale-while-revalidate=1"

    /// - Parameter isComplete: it never changes.
    func headers(isComplete: Bool) -> [String: String] {
        let age = isComplete ? "max-age=\(Self.completeSeconds), immutable" : Self.growing
        return switch self {
        case .anyone: ["cache-control": "public, \(age)"]
        case .readers: ["cache-control": "private, \(age)", "vary": "authorization"]
        case .some: ["cache-control": "no-store"]
        }
    }
}
