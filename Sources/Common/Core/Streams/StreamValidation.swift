/// What is wrong with a set of stream definitions, all of it at once.
package struct StreamValidation: Sendable {
    /// One sentence a mistake, each naming the stream and the key.
    package private(set) var problems: [String] = []

    /// Millrace's own schema; nothing in it can be a stream's table.
    private let schema: String
    /// Postgres truncates longer identifiers in silence (NAMEDATALEN − 1).
    private static let identifierByteLimit = 63

    /// - Parameter schema: where Millrace keeps its own tables.
    package init(_ streams: [StreamDefinition], schema: String = "millrace") {
        self.schema = schema
        var owners: [String: String] = [:]
        var tables: [[String]: String] = [:]
        for stream in streams {
            for topic in stream.topics {
                if let owner = owners.updateValue(stream.name, forKey: topic) {
                    report(stream, "topics: '\(topic)' already belongs to stream '\(owner)'; a topic has one stream")
                }
            }
            for table in [stream.table] + (stream.latest ? [stream.latestTable] : []) {
                guard let owner = tables.updateValue(stream.name, forKey: Self.parts(table)) else { continue }
                report(stream, "table: '\(table)' is already a table of stream '\(owner)'")
            }
            check(stream)
        }
    }

    private mutating func report(_ stream: StreamDefinition, _ what: String) {
        problems.append("stream '\(stream.name)': \(what)")
    }

    private mutating func check(_ stream: StreamDefinition) {
        if stream.name.isEmpty || stream.name.utf8.contains(0) {
            report(stream, "name: must not be empty or hold NUL")
        }
        if stream.topics.isEmpty { report(stream, "topics: names no topic") }
        checkTable(of: stream)
        if stream.columns.isEmpty { report(stream, "columns: there are none") }
        var seen: Set<String> = []
        for column in stream.columns {
            if !seen.insert(column.name).inserted { report(stream, "columns: '\(column.name)' is declared twice") }
            check(column, of: stream)
        }
        for name in stream.key where !seen.contains(name) {
            report(stream, "key: '\(name)' is not a declared column")
        }
        if stream.key.isEmpty, stream.isKeyed || stream.latest {
            report(stream, "key: \(stream.latest ? "latest" : "mode '\(stream.mode.rawValue)'") needs key columns")
        }
        if stream.latest, stream.isKeyed {
            report(stream, "latest: only an append stream keeps a latest table; this one's own table is keyed")
        }
        checkRecords(of: stream)
        checkIncrements(of: stream)
        check(stream.subscribe, "subscribe", of: stream)
        check(stream.publish, "publish", of: stream)
    }

    /// Any name is a role; one that is almost a usual one would let nobody in.
    private mutating func check(_ roles: [String]?, _ list: String, of stream: StreamDefinition) {
        guard let roles else { return }
        let usual = Role.standard + [Role.anyone]
        var seen: Set<String> = []
        for role in roles {
            if !seen.insert(role).inserted { report(stream, "\(list): '\(role)' is listed twice") }
            if let problem = Role.problem(of: role) {
                report(stream, "\(list): '\(role)': \(problem)")
            } else if !usual.contains(role), let near = NearNames.of(role, among: usual).first {
                report(stream, "\(list): '\(role)' is none of the usual roles; did you mean \(near)?")
            }
        }
        if roles.contains(Role.anyone), roles.count > 1 {
            report(stream, "\(list): 'public' means anyone: the others say nothing beside it")
        }
    }

    /// The table's name with its schema, which is `public` where it names none.
    private static func parts(_ table: String) -> [String] {
        let parts = table.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        return parts.count == 1 ? ["public"] + parts : parts
    }

    private mutating func checkTable(of stream: StreamDefinition) {
        let parts = Self.parts(stream.table)
        guard parts.count == 2 else {
            return report(stream, "table: '\(stream.table)' must be TABLE or SCHEMA.TABLE; no name has a dot in it")
        }
        // Room for `_latest` behind the table's name.
        let limit = Self.identifierByteLimit - (stream.latest ? "_latest".utf8.count : 0)
        for (part, limit) in [(parts[0], Self.identifierByteLimit), (parts[1], limit)]
        where part.isEmpty || part.utf8.count > limit || part.utf8.contains(0) {
            report(
                stream,
                "table: '\(part)' must have 1 to \(limit) bytes\(stream.latest ? ", since latest adds to it" : "")")
        }
        if parts[0] == schema {
            report(stream, "table: the schema '\(schema)' is Millrace's own; choose another for '\(parts[1])'")
        } else if parts[0] == "information_schema" || parts[0].hasPrefix("pg_") {
            report(stream, "table: the schema '\(parts[0])' is Postgres's own; choose another for '\(parts[1])'")
        }
    }

    private mutating func check(_ column: Column, of stream: StreamDefinition) {
        if let reason = ReservedNames.reason(column.name) {
            report(stream, "columns: '\(column.name)' \(reason); give the column another name, and 'from': its field")
        }
        if column.name.isEmpty || column.name.utf8.count > Self.identifierByteLimit || column.name.utf8.contains(0) {
            report(stream, "columns: '\(column.name)' must have 1 to \(Self.identifierByteLimit) bytes")
        }
        if !column.type.isNumeric, column.min != nil || column.max != nil {
            report(stream, "columns: '\(column.name)' has min or max, but \(column.type.rawValue) is not a number")
        }
        if let min = column.min, let max = column.max, min > max {
            report(stream, "columns: '\(column.name)' has min \(min) above max \(max)")
        }
        if column.maxLength != nil, column.type != .text {
            report(stream, "columns: '\(column.name)' has max_length, but is not text")
        }
        if let problem = column.defaultValue?.problem(in: column) {
            report(stream, "columns: '\(column.name)' has a default that \(problem)")
        }
        if column.unit != nil, column.type != .timestamp {
            report(stream, "columns: '\(column.name)' has a unit, but is not a timestamptz")
        }
        if let zone = column.timezone {
            if column.type != .timestamp {
                report(stream, "columns: '\(column.name)' has a timezone, but is not a timestamptz")
            } else if LocalTimeZone(zone) == nil {
                report(
                    stream,
                    "columns: '\(column.name)' has the timezone '\(zone)', which there is not; "
                        + "write one like Europe/Berlin or +02:00")
            }
        }
        if column.coerce, column.type == .uuid {
            report(stream, "columns: '\(column.name)' has coerce, but a uuid has one form only")
        }
        if column.binary {
            switch column.origin {
            case .key, .header: break
            case .path, .timestamp, .partition, .offset:
                report(stream, "columns: '\(column.name)' has binary, but does not come from $key or $header.NAME")
            }
            if column.type == .text || (column.type == .timestamp && column.unit == nil) {
                report(
                    stream,
                    "columns: '\(column.name)' has binary; a \(column.type.rawValue) has no binary form"
                        + (column.type == .text ? "" : " without a unit"))
            }
        }
        if column.jsonString, column.type != .bigint {
            report(stream, "columns: '\(column.name)' has json_string, but is not a bigint")
        }
    }

    private mutating func checkRecords(of stream: StreamDefinition) {
        if !(0...1024).contains(stream.skipPrefix) {
            report(stream, "skip_prefix: must be 0 to 1024 bytes")
        }
        if stream.changeRecords != nil, stream.mode == .increment {
            report(stream, "change_records: a change holds a whole row; mode 'increment' adds up, 'upsert' keeps rows")
        }
    }

    private mutating func checkIncrements(of stream: StreamDefinition) {
        if stream.mode != .increment, !stream.increments.isEmpty {
            report(stream, "increments: only mode 'increment' adds up columns")
        }
        guard stream.mode == .increment else { return }
        if stream.increments.isEmpty { report(stream, "increments: names no column to add up") }
        for name in stream.increments {
            guard let column = stream.columns.first(where: { $0.name == name }) else {
                report(stream, "increments: '\(name)' is not a declared column")
                continue
            }
            // A sum of doubles depends on the order of additions, and so on batching.
            if column.type != .bigint { report(stream, "increments: '\(name)' must be a bigint") }
            if column.max != nil { report(stream, "increments: '\(name)' can have min, but not max") }
            if stream.key.contains(name) { report(stream, "increments: '\(name)' is part of the key") }
        }
    }
}
