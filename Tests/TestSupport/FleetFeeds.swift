internal import Foundation
package import ZeroMQ

/// The feeds of a fleet's workers on this machine, which come and go. Used from one thread.
package final class FleetFeeds {
    private let folder: String
    private var connected: Set<String> = []

    /// - Parameter folder: where their sockets are, each `feed-…`.
    package init(_ folder: String) {
        self.folder = folder
    }

    /// Connects to those that are new.
    package func connect(_ socket: borrowing Socket) throws {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for file in files where file.hasPrefix("feed-") && connected.insert(file).inserted {
            try socket.connect("ipc://\(folder)/\(file)")
        }
    }
}
