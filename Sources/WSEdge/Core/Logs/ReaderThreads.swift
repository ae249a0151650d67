import Feed
import Foundation

/// Threads that wait for Postgres, so that no other has to. What waits for them is bounded by whoever asks.
///
/// Sendable by this proof: the jobs are read and written with the condition locked; a thread's readers are its own.
final class ReaderThreads: @unchecked Sendable {
    typealias Job = @Sendable (Readers) -> Void

    /// One thread's, each with a connection.
    final class Readers {
        private var readers: [StoredStream: ReplayReader] = [:]
        let users = UserReader()
        private static let limit = 64

        subscript(stored: StoredStream) -> ReplayReader {
            if let known = readers[stored] { return known }
            // Streams that are gone keep no connection.
            if readers.count >= Self.limit { readers = [:] }
            let reader = ReplayReader(stored)
            readers[stored] = reader
            return reader
        }
    }

    // Guards the jobs.
    private let condition = NSCondition()
    private var jobs: [Job] = []

    init(_ count: Int, name: String) {
        for number in 0..<count {
            let thread = Thread { [self] in serve() }
            thread.name = "\(name) \(number)"
            thread.start()
        }
    }

    /// The first to ask is the first to be served.
    func ask(_ job: @escaping Job) {
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    /// For as long as the process lives.
    private func serve() -> Never {
        let readers = Readers()
        while true {
            condition.lock()
            while jobs.isEmpty { condition.wait() }
            let job = jobs.removeFirst()
            condition.unlock()
            job(readers)
        }
    }
}
