import Common
import Postgres
import Schema

/// What an increment stream's table adds up to, and which records are no part of it.
struct StoredQuantities {
    let stream: StreamDefinition
    private(set) var sum: Quantities
    /// Offsets of dead letters that were not replayed, by their source.
    private(set) var dead: [SourceID: Set<Int64>] = [:]

    private static let pageLimit = 10_000
    private static let timeLimit = Duration.seconds(600)

    /// - Parameter connection: in a transaction.
    static func all(
        _ streams: [StreamDefinition], _ schema: MillraceSchema, on connection: inout Connection
    ) throws(PostgresError) -> [StoredQuantities] {
        var all: [StoredQuantities] = []
        for stream in streams where stream.mode == .increment {
            all.append(try StoredQuantities(stream, schema, on: &connection))
        }
        return all
    }

    private init(
        _ stream: StreamDefinition, _ schema: MillraceSchema, on connection: inout Connection
    ) throws(PostgresError) {
        self.stream = stream
        sum = Quantities(stream)
        let columns = (stream.key + stream.increments).map { Connection.identifier($0) }.joined(separator: ", ")
        let types = (stream.keyIndices + stream.incrementIndices).map { stream.columns[$0].type }
        try Self.read(
            "SELECT \(columns) FROM \(Connection.table(stream.table)) WHERE NOT deleted", on: &connection
        ) { result, row throws(PostgresError) in
            var values: [ColumnValue] = []
            for (index, type) in types.enumerated() {
                guard let value = ColumnValue(stored: result.bytes(row, index), type: type) else {
                    throw PostgresError(
                        operation: "verify", sqlState: "42804", message: "\(stream.table) has a column of another type")
                }
                values.append(value)
            }
            sum.add(key: Array(values.prefix(stream.key.count)), increments: Array(values.dropFirst(stream.key.count)))
        }
        let name = try connection.literal(stream.name)
        try Self.read(
            "SELECT source_id, source_offset FROM \(schema.name).dead_letter WHERE stream = \(name) AND replayed_at IS NULL",
            on: &connection
        ) { result, row throws(PostgresError) in
            dead[SourceID(rawValue: Int32(result.integer(row, 0)!)), default: []].insert(result.integer(row, 1)!)
        }
    }

    /// Page by page, so that a table's size is no matter.
    private static func read(
        _ query: String, on connection: inout Connection,
        _ take: (QueryResult, Int) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        try connection.execute("DECLARE verified NO SCROLL CURSOR FOR \(query)", timeout: timeLimit)
        while true {
            let page = try connection.execute("FETCH \(pageLimit) FROM verified", timeout: timeLimit)[0]
            for row in 0..<page.rowCount { try take(page, row) }
            guard page.rowCount == pageLimit else { break }
        }
        try connection.execute("CLOSE verified")
    }
}
