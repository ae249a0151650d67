import Common
import Foundation

/// How the start of a fleet waits for a private service. Blocking.
enum ServiceStart {
    private static let interval = 0.05
    private static let firstNews = Duration.seconds(3)
    private static let newsInterval = Duration.seconds(5)

    /// - Parameters:
    ///   - process: what is waited for ends with it.
    ///   - what: that is being done, for a line now and then.
    ///   - isDone: may take a moment.
    static func wait(
        for folder: ServiceFolder, _ process: ChildProcess, _ what: String, limit: Duration, _ watch: StartWatch,
        until isDone: () throws(StartError) -> Bool
    ) throws(StartError) {
        let begin = ContinuousClock.now
        var nextNews = begin + firstNews
        while !(try isDone()) {
            try watch.check()
            if let exit = process.exit {
                throw StartError(
                    "\(folder.name) ended with \(exit) while \(what); the end of \(folder.logPath):\n\(folder.lastLines)",
                    .unavailable)
            }
            let elapsed = ContinuousClock.now - begin
            guard elapsed < limit else {
                process.endInput()
                throw StartError(
                    "\(folder.name): not done within \(limit): \(what); the end of \(folder.logPath):\n\(folder.lastLines)",
                    .unavailable)
            }
            if ContinuousClock.now >= nextNews {
                nextNews += newsInterval
                watch.say("\(folder.name): \(what), \(elapsed.components.seconds) s so far")
            }
            // Whether it answers can only be asked again.
            Thread.sleep(forTimeInterval: interval)
        }
    }

    /// A program that does its work and ends, under a keeper.
    static func run(
        _ keeper: Keeper, in folder: ServiceFolder, coordinator: String, _ what: String, limit: Duration,
        _ watch: StartWatch
    ) throws(StartError) {
        let process = try ChildProcess(
            .kept(keeper, coordinator: coordinator, log: folder.logPath, directory: folder.path))
        try wait(for: folder, process, what, limit: limit, watch) { () throws(StartError) in
            process.exit.map { $0.status == 0 && !$0.isSignal } ?? false
        }
    }
}
