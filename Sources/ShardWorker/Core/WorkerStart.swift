import CLinux
package import Common
import Glibc
import ZeroMQ

/// A worker's beginning: puts right what it inherited, asks the coordinator for its configuration, runs the loop.
package enum WorkerStart {
    private static let helloInterval = Duration.seconds(1)

    /// - Parameters:
    ///   - shard: the worker's number; a coordinator knows it by this.
    ///   - endpoint: the coordinator's control socket.
    package static func run(shard: Int32, endpoint: String) throws -> ExitCode {
        let context = Context()
        let control = try ControlChannel(shard: shard, endpoint: endpoint, in: context)
        guard let configuration = try configuration(shard, control) else { return .success }
        return try ShardWorker(shard: shard, configuration, control: control, context: context).run()
    }

    /// Nil when the coordinator is gone before it answered.
    private static func configuration(_ shard: Int32, _ control: ControlChannel) throws -> WorkerConfiguration? {
        var nextHello = ContinuousClock.now
        while true {
            if nextHello <= .now {
                nextHello = .now + helloInterval
                try control.send(.hello(shard: shard, pid: getpid(), version: ControlEnvelope<WorkerMessage>.version))
            }
            var poller = Poller()
            control.add(to: &poller)
            let input = poller.add(descriptor: STDIN_FILENO, .read)
            try poller.wait(nextHello - .now)
            var byte: UInt8 = 0
            if !poller.events(input).isEmpty, read(STDIN_FILENO, &byte, 1) == 0 { return nil }
            while let message = try control.receive() {
                switch message {
                case .configure(let configuration): return configuration
                case .drain: return nil
                case .assign, .release, .allow: break
                }
            }
        }
    }
}
