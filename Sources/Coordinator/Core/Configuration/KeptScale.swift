import Common
import Foundation

/// The number of shards that `scale` set, kept in the runtime folder for the next start.
///
/// It counts while the configured number is the one that it was then: who changes that means it. Draining is for a
/// moment, and is not kept.
struct KeptScale {
    private let path: String
    private let configured: Int32

    init(in runtimeFolder: String, configured: Int32) {
        path = runtimeFolder + "/scale"
        self.configured = configured
    }

    /// Nil when nothing was set that still counts.
    var shards: Int32? {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        guard numbers.count == 2, numbers[1] == configured, (1...1000).contains(numbers[0]) else { return nil }
        return numbers[0] == configured ? nil : numbers[0]
    }

    func keep(_ shards: Int32) throws(StartError) {
        guard shards > 0 else { return }
        do {
            try "\(shards) \(configured)\n".write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw StartError("\(path): \(error.localizedDescription)", .unavailable)
        }
    }

    func forget() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
