/// A stream: these topics, this table, these columns.
///
/// The definitions in force are stored in `millrace.stream`; workers and edges read them there.
package struct StreamDefinition: Hashable, Sendable, Codable {
    package var name: String
    /// A topic belongs to one stream.
    package var topics: [String]
    /// In the schema `public`, unless it names another: `ops.events`. By default the stream's name, with `_` for each dot: a
    /// name alone chooses no schema.
    package var table: String
    package var mode: StreamMode
    /// The columns that name a row of a keyed table; for an append stream those of its latest table
    /// and of the Kafka key.
    package var key: [String]
    /// The columns that an increment stream adds up.
    package var increments: [String]
    /// Keep `<table>_latest`, one row a key, beside an append stream.
    package var latest: Bool
    package var columns: [Column]
    /// How long rows are kept after they were stored; nil for ever.
    package var retain: RetentionPeriod?
    /// Records are changes of rows; nil: they are the rows.
    package var changeRecords: ChangeRecordFormat?
    /// Bytes before each record's JSON that are not part of it: 5 for a schema registry's framing.
    package var skipPrefix: Int
    /// Roles that may subscribe and read, and that may publish; nil: as the edge's policy says (`AccessPolicy`).
    package var subscribe: [String]?
    package var publish: [String]?

    package init(
        name: String, topics: [String], table: String? = nil, mode: StreamMode, key: [String] = [],
        increments: [String] = [], latest: Bool = false, columns: [Column],
        retain: RetentionPeriod? = nil, changeRecords: ChangeRecordFormat? = nil, skipPrefix: Int = 0,
        subscribe: [String]? = nil, publish: [String]? = nil
    ) {
        self.name = name
        self.topics = topics
        self.table = table ?? name.replacing(".", with: "_")
        self.mode = mode
        self.key = key
        self.increments = increments
        self.latest = latest
        self.columns = columns
        self.retain = retain
        self.changeRecords = changeRecords
        self.skipPrefix = skipPrefix
        self.subscribe = subscribe
        self.publish = publish
    }

    /// Whether rows of the stream's own table have a key, a row version and tombstones.
    package var isKeyed: Bool { mode != .append }

    package var latestTable: String { table + "_latest" }

    /// Positions of the key's columns in `columns`, in the key's order.
    package var keyIndices: [Int] { indices(of: key) }

    package var incrementIndices: [Int] { indices(of: increments) }

    private func indices(of names: [String]) -> [Int] {
        names.compactMap { name in columns.firstIndex { $0.name == name } }
    }

    private enum CodingKeys: String, CodingKey {
        case name, topics, table, mode, key, increments, latest, columns, retain, subscribe, publish
        case changeRecords = "change_records"
        case skipPrefix = "skip_prefix"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let name = try values.decode(String.self, forKey: .name)
        self.init(
            name: name,
            topics: try values.decodeIfPresent([String].self, forKey: .topics) ?? [name],
            table: try values.decodeIfPresent(String.self, forKey: .table),
            mode: try values.decode(StreamMode.self, forKey: .mode),
            key: try values.decodeIfPresent([String].self, forKey: .key) ?? [],
            increments: try values.decodeIfPresent([String].self, forKey: .increments) ?? [],
            latest: try values.decodeIfPresent(Bool.self, forKey: .latest) ?? false,
            columns: try values.decode([Column].self, forKey: .columns),
            retain: try values.decodeIfPresent(RetentionPeriod.self, forKey: .retain),
            changeRecords: try values.decodeIfPresent(ChangeRecordFormat.self, forKey: .changeRecords),
            skipPrefix: try values.decodeIfPresent(Int.self, forKey: .skipPrefix) ?? 0,
            subscribe: try values.decodeIfPresent([String].self, forKey: .subscribe),
            publish: try values.decodeIfPresent([String].self, forKey: .publish))
    }
}
