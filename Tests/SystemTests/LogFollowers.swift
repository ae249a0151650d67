import Testing

/// Clients that follow what a `LoadGenerator` produces, over several edges, whatever happens meanwhile. Used from one thread.
struct LogFollowers {
    /// They stay at an edge for as long as it lets them.
    let steady: [EdgeClient]
    /// They go from edge to edge at random, and follow one partition each, whose rows come in their order.
    private let churned: StateClients?

    init(_ fleet: Fleet, _ edges: [EdgeUnderTest], steady steadyCount: Int, churned churnedCount: Int = 0) throws {
        let urls = edges.map(\.url)
        steady = try (0..<steadyCount).map { number in
            let first = number % urls.count
            return try EdgeClient(
                "events", edges: Array(urls[first...] + urls[..<first]), folder: "\(fleet.folder)/client-\(number)")
        }
        for client in steady { try fleet.wait("a subscription") { client.subscriptions.count == 1 } }
        guard churnedCount > 0 else {
            churned = nil
            return
        }
        churned = try StateClients(
            "events", .log(epoch: try fleet.rows("SELECT epoch FROM millrace.stream")[0], partitions: 1),
            (0..<fleet.partitions).map { #"{"where":{"p":\#($0)}}"# }, count: churnedCount, edges: urls,
            folder: fleet.folder + "/churned")
    }

    /// For their next connections.
    func setEdges(_ edges: [EdgeUnderTest]) throws {
        for client in steady { try client.setEdges(edges.map(\.url)) }
        try churned?.setEdges(edges.map(\.url))
    }

    /// What the steady ones were told to begin again, by the edge.
    var resets: [String] { steady.flatMap(\.resets) }

    /// Each has every row once; the churned ones end with that.
    func expectAll(
        _ fleet: Fleet, perPartition: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let total = perPartition * Int(fleet.partitions)
        for client in steady {
            try fleet.wait("\(total) rows; \(client.rows.count) came") { client.rows.count >= total }
            let rows = client.rows
            #expect(rows.count == total && Set(rows).count == total, sourceLocation: sourceLocation)
        }
        try churned?.expectAll(of: fleet, perPartition: perPartition, sourceLocation: sourceLocation)
    }
}
