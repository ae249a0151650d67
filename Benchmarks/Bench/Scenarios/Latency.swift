import BenchmarkSupport

extension Scenario {
    /// No records before: they come at a steady rate.
    static var quiet: () -> Load {
        {
            var load = Load.readings()
            load.records = 0
            load.partitions = 1
            return load
        }
    }

    /// From produce to a WebSocket client by way of Postgres, beside what a bare consumer of Kafka's takes.
    static var latency: Scenario {
        let crowd = Crowd(clients: 100, rate: 1000)
        return Scenario(
            name: "latency", title: "Produce to WebSocket by way of Postgres, 1,000 records/s, 100 clients", unit: "ms",
            load: quiet,
            contestants: {
                [
                    Contestant(name: "Millrace", run: Edge(crowd: crowd).run),
                    Contestant(name: "Millrace, 3 edges", run: Edge(crowd: crowd, count: 3).run),
                    Contestant(name: "Kafka consumer") { arena in
                        try crowd.consume(arena, topic: try arena.kafka.makeTopic(partitions: 1))
                    },
                ]
            },
            ratios: [
                Ratio(name: "median over a Kafka consumer's, ms", atMost: 5) {
                    $0["Millrace"]!.value - $0["Kafka consumer"]!.value
                },
                Ratio(name: "99th percentile over a Kafka consumer's, ms", atMost: 20) {
                    $0["Millrace"]!.figures["p99"]! - $0["Kafka consumer"]!.figures["p99"]!
                },
                Ratio(name: "delivered", atLeast: 1) { $0["Millrace"]!.figures["delivered"]! },
                Ratio(name: "gaps and doubles", atMost: 0) { values in
                    ["Millrace", "Millrace, 3 edges"].flatMap {
                        [values[$0]!.figures["gaps"]!, values[$0]!.figures["doubles"]!]
                    }
                    .reduce(0, +)
                },
                Ratio(name: "delivered by 3 edges with 100 clients each", atLeast: 1) {
                    $0["Millrace, 3 edges"]!.figures["delivered"]!
                },
            ], preparation: Crowd.warmUp)
    }
}
