import Common
import Foundation
import ShardWorkerCore

Inheritance.putRight()
Allocation.keepMemory()
// A peer that is gone is an error of the call.
signal(SIGPIPE, SIG_IGN)
let environment = ProcessInfo.processInfo.environment
guard let shard = environment["MILLRACE_SHARD"].flatMap({ Int32($0) }), let endpoint = environment["MILLRACE_CONTROL"]
else {
    let text = "shard-worker: started by `coordinator start`, which sets MILLRACE_SHARD and MILLRACE_CONTROL\n"
    FileHandle.standardError.write(Data(text.utf8))
    exit(ExitCode.usage.rawValue)
}
do {
    exit(try WorkerStart.run(shard: shard, endpoint: endpoint).rawValue)
} catch {
    Log.standard.say("\(error)", .error)
    exit(ExitCode.internalError.rawValue)
}
