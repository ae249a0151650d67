extension Scenario {
    private static let writers = [
        "debezium-jdbc", "flink", "psycopg-copy", "quix", "pathway", "mq-bridge", "row-by-row",
    ]
    private static let servers = ["node-ws", "nats", "centrifugo", "socketify"]

    /// Those that can be had; the others are said.
    private static func variants(_ names: [String]) -> [Peer] {
        names.flatMap { name -> [Peer] in
            if let reason = Peer.absence(of: name) {
                say("\(name) can't be had here: \(reason)")
                return []
            }
            return Peer.Variant.allCases.map { Peer(name: name, variant: $0) }
        }
    }

    /// Rows a second of other ways from Kafka into Postgres.
    static var peers: Scenario {
        Scenario(
            name: "peers", title: "Kafka to Postgres, beside other systems", load: { Cars.load(20_000_000) },
            contestants: {
                [Contestant(name: "Millrace") { try Cars.measure($0, Cars.startMillrace) }]
                    + variants(writers).map { peer in
                        Contestant(name: peer.label) { try Cars.measure($0, Cars.start(peer)) }
                    }
            }, hasWarmUp: false)
    }

    /// What they lose and double when all of them is killed three times on the way.
    static var kills: Scenario {
        Scenario(
            name: "kills", title: "Records lost (and doubled) by kill -9, three times on the way", unit: "records lost",
            load: { Cars.load(200_000) },
            contestants: {
                [Contestant(name: "Millrace") { try Cars.kill($0, Cars.startMillrace) }]
                    + variants(writers).map { peer in
                        Contestant(name: peer.label) { try Cars.kill($0, Cars.start(peer)) }
                    }
            }, hasWarmUp: false)
    }

    /// One server process, many clients, every record to each of them.
    static func fanOut(rate: Int) -> Scenario {
        let crowd = Crowd(clients: 1000, rate: rate)
        return Scenario(
            name: "fan-out-\(rate)", title: "1,000 WebSocket clients, \(rate) records/s to each, beside other servers",
            unit: "ms", load: quiet,
            contestants: {
                [Contestant(name: "Millrace", run: Edge(crowd: crowd).run)]
                    + variants(servers).map { peer in
                        Contestant(name: peer.label) { try peer.serve($0, crowd) }
                    }
            })
    }
}
