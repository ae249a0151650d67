import Postgres

/// A table as it is in the database.
struct FoundTable {
    struct Column {
        var type: String
        var isNullable: Bool
        var hasDefault: Bool
        var isGenerated: Bool
        var isIdentity: Bool
    }

    /// Quoted, with its schema.
    let name: String
    let exists: Bool
    private(set) var columns: [String: Column] = [:]
    private(set) var primaryKey: [String] = []
    private(set) var primaryKeyName: String?
    private(set) var hasRows = false
    private var isReferenced = false

    init(_ table: String, _ connection: inout Connection) throws(PostgresError) {
        name = Connection.table(table)
        let regclass = "to_regclass(\(try connection.literal(name)))"
        exists = try connection.execute("SELECT \(regclass) IS NOT NULL")[0].text(0, 0) == "t"
        guard exists else { return }
        try readColumns(table, &connection)
        hasRows = try connection.execute("SELECT EXISTS (SELECT 1 FROM \(name))")[0].text(0, 0) == "t"
        let key = try connection.execute(
            """
            SELECT c.conname, a.attname, EXISTS (SELECT 1 FROM pg_constraint f WHERE f.confrelid = c.conrelid)
            FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
            WHERE c.contype = 'p' AND c.conrelid = \(regclass) ORDER BY k.place
            """)[0]
        for row in 0..<key.rowCount {
            primaryKeyName = key.text(row, 0)
            primaryKey.append(key.text(row, 1)!)
            isReferenced = key.text(row, 2) == "t"
        }
    }

    private mutating func readColumns(_ table: String, _ connection: inout Connection) throws(PostgresError) {
        let name = Connection.schemaAndTable(table)
        let result = try connection.execute(
            """
            SELECT column_name, data_type, is_nullable = 'YES', column_default IS NOT NULL OR is_identity = 'YES'
                OR is_generated = 'ALWAYS', is_generated = 'ALWAYS', coalesce(identity_generation = 'ALWAYS', false)
            FROM information_schema.columns
            WHERE table_schema = \(try connection.literal(name.schema)) AND table_name = \(try connection.literal(name.table))
            """)[0]
        for row in 0..<result.rowCount {
            columns[result.text(row, 0)!] = Column(
                type: result.text(row, 1)!, isNullable: result.text(row, 2) == "t",
                hasDefault: result.text(row, 3) == "t", isGenerated: result.text(row, 4) == "t",
                isIdentity: result.text(row, 5) == "t")
        }
    }

    /// A statement about the table.
    func alter(_ what: String) -> String { "ALTER TABLE \(name) \(what);" }

    func loosen(_ column: String) -> String { alter("ALTER COLUMN \(Connection.identifier(column)) DROP NOT NULL") }

    /// Why the table can't get these columns as its primary key; nil when it can, or has it.
    func obstacle(toKey key: [String], _ connection: inout Connection) throws(PostgresError) -> String? {
        guard primaryKey != key else { return nil }
        if isReferenced { return "other tables refer to its primary key (\(primaryKey.joined(separator: ", ")))" }
        guard hasRows else { return nil }
        let missing = key.filter { columns[$0] == nil }
        guard missing.isEmpty else { return "it has rows, and those have no \(missing.joined(separator: " and "))" }
        let names = key.map(Connection.identifier)
        let nulls = names.map { "\($0) IS NULL" }.joined(separator: " OR ")
        let list = names.joined(separator: ", ")
        let isRepeated = try connection.execute(
            """
            SELECT EXISTS (SELECT 1 FROM \(name) WHERE \(nulls))
                OR EXISTS (SELECT 1 FROM \(name) GROUP BY \(list) HAVING count(*) > 1)
            """)[0].text(0, 0)
        return isRepeated == "t" ? "it has rows that (\(key.joined(separator: ", "))) does not tell apart" : nil
    }
}
