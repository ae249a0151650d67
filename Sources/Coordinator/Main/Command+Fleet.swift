import Common
import CoordinatorCore
import Foundation

/// Starting a fleet and steering it.
extension Command {
    static let start = Command(
        name: "start",
        form: """
            [--shards N] [--edges N] [--edge-host HOST] [--edge-port PORT] [--open] [--demo] [--detach] [--wait]
                     [--allow-add-columns] [--metrics HOST:PORT] [--embedded-kafka automatic|apache|mock]
                     [--new-cluster] [--group NAME] [--member NAME]
            """,
        summary: """
            Starts the fleet, and runs until it is told to stop. Where nothing says where Kafka or Postgres is, it runs
            private ones in its runtime folder. With --wait it also starts while those that are configured don't answer, and
            waits for them. Reading needs a user where edges listen on more than this machine, publishing always; with --open
            neither does. With --group the coordinators of several hosts are one fleet: Kafka's consumer group of that name
            divides the partitions among them, each under its host's name or that of --member.
            """, example: "start --shards 4 --edges 1"
    ) { arguments, settings in
        let isDetached = arguments.flag("--detach")
        let isDemo = arguments.flag("--demo")
        let beginsOnNewCluster = arguments.flag("--new-cluster")
        try arguments.finish()
        var configuration = try settings.startConfiguration()
        configuration.beginsOnNewCluster = beginsOnNewCluster
        if isDemo { configuration.producer = try Demo.words(configuration, settings) }
        if isDetached { return try Detached.start(configuration) }
        Inheritance.closeOnExec()
        return try Coordinator(configuration).run()
    }

    static let scale = Command(
        name: "scale", form: "--shards N [--host NAME | --all]",
        summary: """
            Changes the number of shards while the fleet runs: of this host, of another one of its group, or of each.
            """, example: "scale --shards 8"
    ) { arguments, settings in
        let hosts = try Hosts(&arguments)
        guard let shards: Int32 = try arguments.number("--shards") else { throw arguments.usage("--shards is missing") }
        try arguments.finish()
        _ = try settings.client().ask(
            hosts.request(.scale(shards: shards)) ?? .scale(shards: shards, by: Settings.user))
        return .success
    }

    static let pause = pausing(
        "pause", "Commits what is in hand and reads no further, also after a restart", "pause traffic_data:3"
    ) { .pause($0, by: Settings.user) }

    static let resume = pausing(
        "resume", "Goes on with what was paused or quarantined", "resume traffic_data"
    ) { .resume($0, by: Settings.user) }

    private static func pausing(
        _ name: String, _ summary: String, _ example: String,
        _ request: @escaping @Sendable (PauseTarget) -> CommandRequest
    ) -> Command {
        Command(name: name, form: "STREAM | TOPIC[:PARTITION]", summary: summary, example: example) {
            arguments, settings in
            let target = PauseTarget(try arguments.next("a stream or topic"))
            try arguments.finish()
            _ = try settings.client().ask(request(target), timeout: .seconds(60))
            return .success
        }
    }

    static let drain = Command(
        name: "drain", form: "[--host NAME | --all]",
        summary: """
            Lets every worker commit and go; the coordinator stays (scale brings workers back). Of this host, of another one of
            its group, or of all.
            """, example: "drain"
    ) { arguments, settings in
        let hosts = try Hosts(&arguments)
        try arguments.finish()
        let client = try settings.client()
        _ = try client.ask(hosts.request(.scale(shards: 0)) ?? .scale(shards: 0, by: Settings.user))
        return try Patience.drain.wait {
            let report = try client.status()
            return report.shards.allSatisfy { !hosts.includes($0.host, own: report.host) }
        } ? .success : .drainTimeout
    }

    static let stop = Command(
        name: "stop", form: "", summary: "Lets every worker commit and go, and then the coordinator", example: "stop"
    ) { arguments, settings in
        try arguments.finish()
        let client = try settings.client()
        let pid = try client.status().pid
        _ = try client.ask(.stop)
        return Patience.drain.wait { kill(pid, 0) != 0 } ? .success : .drainTimeout
    }

    static let restart = Command(
        name: "restart", form: "[--rolling] [SHARD | --host NAME | --all]",
        summary: """
            Restarts workers, all at once, one, or one after another; of this host, of another one of its group, or of all:
            rolling, one host after another.
            """, example: "restart --rolling"
    ) { arguments, settings in
        let hosts = try Hosts(&arguments)
        let isRolling = arguments.flag("--rolling")
        let word = try arguments.nextIfAny()
        let shard = word.flatMap { Int32($0) }
        if let word, shard == nil { throw arguments.usage("'\(word)' is no shard's number") }
        try arguments.finish()
        guard shard == nil || hosts.isOwn else { throw arguments.usage("a shard is one of this host's") }
        _ = try settings.client().ask(
            hosts.request(.restart(rolling: isRolling)) ?? .restart(shard: shard, rolling: isRolling, by: Settings.user)
        )
        return .success
    }

    static let status = Command(
        name: "status", form: "[--json] [--watch] [--remote tcp://HOST:PORT --key FILE]",
        summary: "Shows the fleet; exits with 1 when it is not healthy",
        example: "status --watch"
    ) { arguments, settings in
        let isJSON = arguments.flag("--json")
        let watches = arguments.flag("--watch")
        let remote = try arguments.option("--remote")
        let key = try arguments.option("--key")
        try arguments.finish()
        guard (remote == nil) == (key == nil) else { throw arguments.usage("--remote and --key go together") }
        let client =
            if let remote, let key {
                try ControlClient(remote: remote, Credentials.read(key))
            } else {
                try settings.client()
            }
        while true {
            let report = try client.status()
            // Home, then clear what is below: redrawn in place.
            if watches { print("\u{1B}[H\u{1B}[J", terminator: "") }
            if isJSON { try printJSON(report) } else { print(StatusTable(report).text, terminator: "") }
            guard watches else { return report.healthy ? .success : .found }
            fflush(nil)
            // Workers report once a second: sooner there is nothing new to draw.
            Thread.sleep(forTimeInterval: 1)
        }
    }
}
