import Common

/// What an edge exports. Names by https://prometheus.io/docs/practices/naming/; docs/metrics.md has the same table for people.
enum EdgeMetrics {
    typealias Family = MetricFamily<EdgeSnapshot>

    static let all = clients + streams + postgres

    private static let clients = [
        Family("millrace_edge_clients", .gauge, "Connections of clients: WebSockets and Server-Sent Events.") {
            [MetricSample($0.clients)]
        },
        Family("millrace_edge_late_clients", .gauge, "Clients that read from Postgres, since they are behind.") {
            [MetricSample($0.counters.slowClients)]
        },
        Family("millrace_edge_messages_total", .counter, "Buffers handed to clients, of one or more messages each.") {
            [MetricSample($0.sent.messages)]
        },
        Family("millrace_edge_sent_bytes_total", .counter, "Bytes handed to clients.") {
            [MetricSample($0.sent.byteCount)]
        },
        Family("millrace_edge_let_go_total", .counter, "Clients that took nothing for so long that they were let go.") {
            [MetricSample($0.counters.letGo)]
        },
        Family("millrace_edge_refused_connections_total", .counter, "Connections beyond a limit.") {
            [MetricSample($0.refusedConnections)]
        },
        Family("millrace_edge_log_requests_total", .counter, "Requests for logs and their segments.") {
            [MetricSample($0.counters.logRequests)]
        },
        Family("millrace_edge_unacknowledged_records", .gauge, "Records of clients that Kafka has not acknowledged.") {
            [MetricSample($0.unacknowledged)]
        },
        Family("millrace_edge_draining", .gauge, "1 while the edge tells its clients to go elsewhere.") {
            [MetricSample($0.isDraining ? 1 : 0)]
        },
    ]

    private static let streams = [
        Family("millrace_edge_subscriptions", .gauge, "Subscriptions.") { perStream($0) { Double($0.subscriptions) } },
        Family("millrace_edge_groups", .gauge, "Groups of subscriptions that are told the same.") {
            perStream($0) { Double($0.groups) }
        },
        Family(
            "millrace_edge_rows_total", .counter, "Rows that came from the workers, or were read since they did not."
        ) {
            perStream($0) { Double($0.rows) }
        },
        Family("millrace_edge_repairs_total", .counter, "Times that rows did not come and were read from Postgres.") {
            perStream($0) { Double($0.feed.repairs) }
        },
        Family("millrace_edge_ring_bytes", .gauge, "Newest rows that are kept for clients who are a little late.") {
            perStream($0) { Double($0.ringByteCount) }
        },
        Family("millrace_edge_keyed_rows_bytes", .gauge, "Rows that are kept to know which leave a filter.") {
            perStream($0) { Double($0.keyedRowsByteCount) }
        },
        Family("millrace_edge_commit_to_edge_seconds", .histogram, "Time from a COMMIT to its rows at the edge.") {
            perStream($0, \.feed.lag)
        },
        Family(
            "millrace_edge_delivery_seconds", .histogram,
            "Time from rows at the edge to a client's socket, of one delivery in 16."
        ) {
            perStream($0, \.delivery)
        },
    ]

    private static let postgres = [
        Family("millrace_edge_readings_total", .counter, "Readings from Postgres for clients that are behind.") {
            [MetricSample($0.readings)]
        },
        Family("millrace_edge_reading_bytes", .gauge, "Of readings that have still to be sent.") {
            [MetricSample($0.readingByteCount)]
        },
        Family("millrace_edge_cpu_seconds_total", .counter, "CPU time of the edge's process.") {
            [MetricSample($0.processorSeconds)]
        },
        Family("millrace_edge_resident_memory_bytes", .gauge, "Resident memory of the edge's process.") {
            [MetricSample($0.residentBytes)]
        },
    ]

    private static func perStream(
        _ snapshot: EdgeSnapshot, _ milliseconds: KeyPath<EdgeSnapshot.Stream, Histogram>
    ) -> [MetricSample] {
        snapshot.streams.sorted { $0.key < $1.key }.map { name, stream in
            MetricSample(.histogram(stream[keyPath: milliseconds], perUnit: 1000), [("stream", name)])
        }
    }

    private static func perStream(
        _ snapshot: EdgeSnapshot, _ value: (EdgeSnapshot.Stream) -> Double
    ) -> [MetricSample] {
        snapshot.streams.sorted { $0.key < $1.key }.map { MetricSample(value($0.value), [("stream", $0.key)]) }
    }
}
