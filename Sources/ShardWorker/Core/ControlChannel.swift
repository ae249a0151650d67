import Common
private import Glibc
package import ZeroMQ

/// The worker's end of the control channel. Owned by the loop's thread.
package final class ControlChannel {
    private let socket: Socket
    /// What came last that this program can't read.
    private var foreign: ForeignMessage?

    /// - Parameter shard: the coordinator knows the worker by this number and its pid: one that outlives its coordinator
    ///   must not be taken for the next one's.
    package init(shard: Int32, endpoint: String, in context: Context) throws(ZeroMQError) {
        socket = try Socket(.dealer, in: context)
        try socket.setIdentity(WorkerIdentity(shard: shard, pid: getpid()).name)
        try socket.connect(endpoint)
    }

    func add(to poller: inout Poller) {
        poller.add(socket)
    }

    /// A coordinator whose queue is full is gone or hangs: stdin tells, and it asks again by itself.
    func send(_ message: WorkerMessage) throws {
        _ = try socket.send([try ControlEnvelope.encode(message)])
    }

    /// The next message that has come, if any: one at a time, since what follows may be for another part of the
    /// worker's life. What can't be read is told and dropped.
    func receive() throws(ZeroMQError) -> CoordinatorMessage? {
        while let parts = try socket.receive() {
            guard parts.count == 1 else { continue }
            do throws(ForeignMessage) {
                return try ControlEnvelope.decode(parts[0])
            } catch {
                if foreign != error {
                    Log.standard.say("the coordinator says \(error): start it anew", .warning)
                }
                foreign = error
            }
        }
        return nil
    }
}
