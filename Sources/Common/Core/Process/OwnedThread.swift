private import Foundation

/// Runs blocking C on a thread of our own, whose life is the life of a structured scope.
///
/// Handles are made and destroyed inside `body`, so no handle is ever shared between threads.
package enum OwnedThread {
    /// Returns when `body` has returned. Cancellation sets nothing by itself: bodies poll what stops them.
    package static func run<Value: Sendable>(
        name: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                continuation.resume(with: Result(catching: body))
            }
            thread.name = name
            thread.start()
        }
    }
}
