package import Common
import JSONRecords

/// `status` for a person: one line of health, then shards, streams, and the sources that need someone.
package struct StatusTable {
    private var lines: [String] = []

    package init(_ report: StatusReport) {
        let health = report.healthy ? "healthy" : "NOT HEALTHY"
        lines.append(
            "\(health) · generation \(report.generation) · up \(Self.duration(report.uptime)) · pid \(report.pid)")
        lines.append("Kafka \(Self.place(report.kafka)) · Postgres \(Self.place(report.postgres))")
        lines += report.problems.map { "  ! \($0)" }
        lines.append("")
        if let hosts = report.hosts {
            add(
                ["HOST", "SCHEMA", "HEARD", "SHARDS", "PARTITIONS", "ROWS/S"],
                hosts.map { host in
                    [
                        host.name, host.ownsSchema ? "owner" : "-", "\(Self.duration(host.silence)) ago",
                        String(host.shards), String(host.partitions), Self.rate(host.rowsPerSecond),
                    ]
                })
        }
        add(
            ["SHARD", "PID", "STATE", "UP", "RESTARTS", "PARTITIONS", "ROWS/S", "LAG", "CPU %", "MEMORY"],
            report.shards.map { shard in
                [
                    shard.host.map { "\($0)/\(shard.id)" } ?? String(shard.id), shard.pid.map(String.init) ?? "-",
                    shard.waitingFor.map { "\(shard.state), waits for \($0)" } ?? shard.state,
                    Self.duration(shard.uptime), String(shard.restarts), String(shard.sources.count),
                    Self.rate(shard.rowsPerSecond), Self.number(shard.lag), Self.decimal(shard.processorPercent),
                    "\(shard.residentBytes / 1_048_576) MB",
                ]
            })
        add(
            ["STREAM", "STATE", "ROWS", "ROWS/S", "LAG", "DEAD", "P50 MS", "P99 MS", "DONE IN"],
            report.streams.map { stream in
                [
                    stream.name, stream.state, String(stream.rows), Self.rate(stream.rowsPerSecond),
                    Self.number(stream.lag), String(stream.deadLetters), Self.number(stream.commitLatency.p50),
                    Self.number(stream.commitLatency.p99), stream.timeToFinish.map(Self.duration) ?? "-",
                ]
            })
        let absent = report.streams.flatMap { stream in
            stream.absentColumns.map { "  no record of the last \(ColumnWatch.runLength) of \(stream.name) had \($0)" }
        }
        if !absent.isEmpty { lines += absent + [""] }
        if !report.edges.isEmpty {
            add(
                ["EDGE", "PID", "STATE", "RESTARTS", "CLIENTS", "MESSAGES/S", "SLOW"],
                report.edges.map {
                    [
                        $0.address, $0.pid.map(String.init) ?? "-", $0.state ?? "elsewhere",
                        $0.restarts.map(String.init) ?? "-", String($0.clients), Self.rate($0.messagesPerSecond),
                        String($0.slowClients),
                    ]
                })
        }
        let standing = report.sources.filter { $0.state != "running" }
        if !standing.isEmpty {
            add(
                ["SOURCE", "PARTITION", "STATE", "NEXT", "WHY"],
                standing.map {
                    [
                        $0.id.description, "\($0.topic):\($0.partition)", $0.state, Self.number($0.nextOffset),
                        $0.reason ?? "",
                    ]
                })
        }
        if let last = report.notices.last { lines.append("last: \(last.text)") }
    }

    private static func place(_ kafka: StatusReport.Kafka) -> String {
        let kinds = ["apache": " (a private Apache Kafka)", "mock": " (a mock cluster, in memory)"]
        return kafka.bootstrap + (kafka.embedded.flatMap { kinds[$0] } ?? "")
    }

    private static func place(_ postgres: StatusReport.Postgres) -> String {
        let server = [postgres.host, postgres.port.map(String.init)].compactMap { $0 }.joined(separator: ":")
        let parts = [
            server, postgres.database.map { "database \($0)" }, postgres.user.map { "user \($0)" },
            postgres.embedded ? "(private)" : nil,
        ]
        let known = parts.compactMap { $0 }.filter { !$0.isEmpty }
        return known.isEmpty ? "where libpq's own settings say" : known.joined(separator: " ")
    }

    package var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func add(_ header: [String], _ rows: [[String]]) {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max()! }
        for row in all {
            var line = ""
            for (column, cell) in row.enumerated() {
                // The first column and words to the left, numbers to the right.
                let isNumber =
                    column > 0 && rows.allSatisfy { $0[column].first.map { $0.isNumber || $0 == "-" } ?? true }
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line += (isNumber ? space + cell : cell + space) + "  "
            }
            while line.last == " " { line.removeLast() }
            lines.append(line)
        }
        lines.append("")
    }

    private static func number(_ value: Int64?) -> String { value.map(String.init) ?? "-" }

    private static func number(_ value: Double?) -> String { value.map(decimal) ?? "-" }

    private static func rate(_ value: Double) -> String { String(whole(value)) }

    /// What others report may be anything.
    private static func whole(_ value: Double) -> Int64 {
        Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
    }

    private static func decimal(_ value: Double) -> String {
        let tenths = whole(value * 10)
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    /// The two largest units.
    static func duration(_ seconds: Double) -> String {
        let whole = max(0, whole(seconds))
        return switch whole {
        case ..<60: "\(whole)s"
        case ..<3600: "\(whole / 60)m\(whole % 60)s"
        case ..<86_400: "\(whole / 3600)h\(whole / 60 % 60)m"
        default: "\(whole / 86_400)d\(whole / 3600 % 24)h"
        }
    }
}
