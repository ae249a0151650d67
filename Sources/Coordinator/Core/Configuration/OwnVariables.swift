import Common

/// Environment variables with our prefixes: one that nothing takes is a mistake, and would be ignored in silence.
enum OwnVariables {
    /// Of all programs and scripts.
    private static let known: Set<String> = [
        "KAFKA_HOME", "KAFKA_OFFSET_RESET", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS",
        "KAFKA_LOG4J_OPTS", "KAFKA_GC_LOG_OPTS", "KAFKA_DEBUG",
        "MILLRACE_CONFIG", "MILLRACE_RUNTIME_DIR", "MILLRACE_SHARDS", "MILLRACE_SCHEMA", "MILLRACE_CONTROL_ADDRESS",
        "MILLRACE_ADVERTISE_HOST", "MILLRACE_METRICS", "MILLRACE_EDGES", "MILLRACE_EDGE_HOST", "MILLRACE_EDGE_PORT",
        "MILLRACE_EMBEDDED_KAFKA", "MILLRACE_SHARD", "MILLRACE_CONTROL", "MILLRACE_LISTEN", "MILLRACE_KEY",
        "MILLRACE_ORIGINS", "MILLRACE_TILES", "MILLRACE_TILES_ATTRIBUTION", "MILLRACE_SUPERVISED",
        "MILLRACE_SWIFT_ROOT", "MILLRACE_LOG",
        "MILLRACE_MEASURE", "MILLRACE_SEED", "MILLRACE_SEEDS", "MILLRACE_MINUTES", "MILLRACE_TEST_FSYNC",
    ]

    /// Names that nothing takes, in their order.
    static func unknown(_ environment: [String: String]) -> [String] {
        environment.keys.filter { name in
            guard name.hasPrefix("KAFKA_") || name.hasPrefix("MILLRACE_") else { return false }
            let bare = name.hasSuffix("_FILE") ? String(name.dropLast(5)) : name
            return ![name, bare].contains { known.contains($0) || ConnectionVariables.kafka[$0] != nil }
                && !isServiceLink(name)
        }.sorted()
    }

    /// Kubernetes makes these for each service, also for one that is called `kafka`.
    private static func isServiceLink(_ name: String) -> Bool {
        name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.contains("_PORT_")
            || name.hasSuffix("_PORT")
    }
}
