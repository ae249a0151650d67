/// Environment variables with our prefixes, and libpq's: one that nothing takes is a mistake, and would be ignored in
/// silence.
package enum OwnVariables {
    /// Of all programs and scripts.
    private static let known: Set<String> = [
        "KAFKA_HOME", "KAFKA_OFFSET_RESET", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS",
        "KAFKA_LOG4J_OPTS", "KAFKA_GC_LOG_OPTS", "KAFKA_DEBUG",
        "MILLRACE_CONFIG", "MILLRACE_RUNTIME_DIR", "MILLRACE_SHARDS", "MILLRACE_SCHEMA", "MILLRACE_CONTROL_ADDRESS",
        "MILLRACE_ADVERTISE_HOST", "MILLRACE_METRICS", "MILLRACE_EDGES", "MILLRACE_EDGE_HOST", "MILLRACE_EDGE_PORT",
        "MILLRACE_EMBEDDED_KAFKA", "MILLRACE_OPEN", "MILLRACE_TOKEN_KEYS", "MILLRACE_TLS_CERTIFICATE",
        "MILLRACE_TLS_KEY", "MILLRACE_SHARD", "MILLRACE_CONTROL", "MILLRACE_LISTEN", "MILLRACE_KEY",
        "MILLRACE_ORIGINS", "MILLRACE_EDGE_MEMORY", "MILLRACE_EDGE_CONNECTIONS",
        "MILLRACE_EDGE_CONNECTIONS_PER_ADDRESS", "MILLRACE_TILES", "MILLRACE_TILES_ATTRIBUTION",
        "MILLRACE_SUPERVISED", "MILLRACE_GROUP", "MILLRACE_MEMBER",
        "MILLRACE_SWIFT_ROOT", "MILLRACE_LOG",
        "MILLRACE_WAIT", "MILLRACE_MEASURE", "MILLRACE_SEED", "MILLRACE_SEEDS", "MILLRACE_MINUTES",
        "MILLRACE_TEST_FSYNC",
    ]

    /// What the server, its tools and its clients' libraries take beside connection parameters (Postgres documentation,
    /// 34.15).
    private static let knownToPostgres: Set<String> = [
        "PGDATA", "PGDATESTYLE", "PGTZ", "PGGEQO", "PGSERVICEFILE", "PGSYSCONFDIR", "PGLOCALEDIR", "PGCTLTIMEOUT",
        "PGCLIENTENCODING", "PGSSLCERTMODE",
    ]

    /// - Parameter libpq: the variables of its connection parameters.
    /// - Throws: with the names that nothing takes.
    package static func check(_ environment: [String: String], libpq: some Collection<String>) throws(StartError) {
        let taken = known.union(knownToPostgres).union(ConnectionVariables.kafka.keys).union(libpq)
        let unknown = environment.keys.filter { name in
            let bare = name.hasSuffix("_FILE") ? String(name.dropLast(5)) : name
            return isOurs(bare) && !taken.contains(name) && !taken.contains(bare) && !isServiceLink(name)
        }
        guard unknown.isEmpty else {
            throw StartError(
                "nothing takes the variable \(unknown.sorted().joined(separator: ", ")); docs/operations.md lists those "
                    + "there are", .configuration)
        }
    }

    /// libpq's have no underscore; others', such as PG_VERSION or PGADMIN_LISTEN_PORT, have one.
    private static func isOurs(_ name: String) -> Bool {
        name.hasPrefix("KAFKA_") || name.hasPrefix("MILLRACE_")
            || (name.hasPrefix("PG") && name.allSatisfy { $0.isUppercase })
    }

    /// Kubernetes makes these for each service, also for one that is called `kafka`.
    private static func isServiceLink(_ name: String) -> Bool {
        name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.contains("_PORT_")
            || name.hasSuffix("_PORT")
    }
}
