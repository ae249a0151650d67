/// What is wrong with a set of stream definitions, all of it at once.
package struct StreamValidation: Sendable {
    /// One sentence a mistake, each naming the stream and the key.
    package private(set) var problems: [String] = []

    /// Columns that Millrace adds to tables itself.
    private static let reserved: Set<String> = ["source_id", "source_offset", "row_version", "deleted"]
    /// Postgres truncates longer identifiers in silence (NAMEDATALEN − 1).
    private static let identifierByteLimit = 63
    /// Room for `_latest` behind a table's name.
    private static let tableByteLimit = identifierByteLimit - "_latest".utf8.count

    package init(_ streams: [StreamDefinition]) {
        var owners: [String: String] = [:]
        var tables: [String: String] = [:]
        for stream in streams {
            for topic in stream.topics {
                if let owner = owners.updateValue(stream.name, forKey: topic) {
                    report(stream, "topics: '\(topic)' already belongs to stream '\(owner)'; a topic has one stream")
                }
            }
            if let owner = tables.updateValue(stream.name, forKey: stream.table) {
                report(stream, "table: '\(stream.table)' is already the table of stream '\(owner)'")
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
        if stream.table.isEmpty || stream.table.utf8.count > Self.tableByteLimit {
            report(stream, "table: must have 1 to \(Self.tableByteLimit) bytes")
        }
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
        checkIncrements(of: stream)
    }

    private mutating func check(_ column: Column, of stream: StreamDefinition) {
        if Self.reserved.contains(column.name) {
            report(stream, "columns: '\(column.name)' is a column that Millrace adds itself")
        }
        if column.name.isEmpty || column.name.utf8.count > Self.identifierByteLimit {
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
        if column.jsonString, column.type != .bigint {
            report(stream, "columns: '\(column.name)' has json_string, but is not a bigint")
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
