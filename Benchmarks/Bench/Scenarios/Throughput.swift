extension Scenario {
    /// From Kafka into Postgres, beside the least that does it and beside what Postgres takes.
    static var throughput: Scenario {
        var followed = Fleet.append()
        followed.isFollowed = true
        return Scenario(
            name: "throughput", title: "Kafka to Postgres, 4 shards, beside a C loop and COPY from memory",
            load: Load.readings,
            contestants: {
                [
                    .cLoop, Contestant(name: "Millrace", run: Fleet.append().run),
                    Contestant(name: "Millrace, followed", run: followed.run),
                    Contestant(name: "Millrace, latest", run: Fleet.append(latest: true).run), .copy(connections: 1),
                    .copy(connections: 2), .copy(connections: 4),
                ]
            },
            ratios: [
                Ratio(name: "Millrace / C loop", atLeast: 1) { $0["Millrace"]!.value / $0["C loop"]!.value },
                Ratio(name: "Millrace, latest / C loop", atLeast: 0.75) {
                    $0["Millrace, latest"]!.value / $0["C loop"]!.value
                },
                Ratio(name: "Millrace / COPY from memory", atLeast: 0.55) { $0["Millrace"]!.value / bestCopy($0) },
                Ratio(name: "Millrace, followed / COPY from memory", atLeast: 0.55) {
                    $0["Millrace, followed"]!.value / bestCopy($0)
                },
                Ratio(name: "CPU s of workers per million", atMost: 1.2) { $0["Millrace"]!.processor["shard-worker"]! },
            ])
    }

    private static func bestCopy(_ values: [String: Measured]) -> Double {
        [1, 2, 4].map { values["COPY from memory, \($0)"]!.value }.max()!
    }
}
