/// A declared column of a stream: what it is called, where it comes from, what it accepts.
package struct Column: Hashable, Sendable, Codable {
    package var name: String
    package var type: ColumnType
    /// Nil: the JSON field of the column's own name.
    package var from: ColumnOrigin?
    /// A record without it, or with null, is a dead letter.
    package var required: Bool
    /// Inclusive bounds of a numeric column.
    package var min: Double?
    package var max: Double?
    /// In Unicode scalars, as Postgres counts characters.
    package var maxLength: Int?
    /// Accept numbers and booleans in strings, for text the other way round, and for timestamps seconds or milliseconds
    /// since 1970.
    package var coerce: Bool
    /// A bigint that leaves Millrace as a JSON string, and so may exceed ±(2⁵³−1).
    package var jsonString: Bool
    /// For records without a value, or with null.
    package var defaultValue: ColumnDefault?
    /// What numbers in a timestamp column count.
    package var unit: TimestampUnit?
    /// The zone of times that name none; nil for UTC.
    package var timezone: String?
    /// Kafka's key or header holds the type's own bytes in network order instead of text.
    package var binary: Bool

    package init(
        _ name: String, _ type: ColumnType, from: ColumnOrigin? = nil, required: Bool = false, min: Double? = nil,
        max: Double? = nil, maxLength: Int? = nil, coerce: Bool = false, jsonString: Bool = false,
        defaultValue: ColumnDefault? = nil, unit: TimestampUnit? = nil, timezone: String? = nil, binary: Bool = false
    ) {
        self.name = name
        self.type = type
        self.from = from
        self.required = required
        self.min = min
        self.max = max
        self.maxLength = maxLength
        self.coerce = coerce
        self.jsonString = jsonString
        self.defaultValue = defaultValue
        self.unit = unit
        self.timezone = timezone
        self.binary = binary
    }

    package var origin: ColumnOrigin { from ?? .path(ColumnOrigin.escaped(name)) }

    private enum CodingKeys: String, CodingKey {
        case name, type, from, required, min, max, coerce, unit, timezone, binary
        case defaultValue = "default"
        case maxLength = "max_length"
        case jsonString = "json_string"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        type = try values.decode(ColumnType.self, forKey: .type)
        from = try values.decodeIfPresent(ColumnOrigin.self, forKey: .from)
        required = try values.decodeIfPresent(Bool.self, forKey: .required) ?? false
        min = try values.decodeIfPresent(Double.self, forKey: .min)
        max = try values.decodeIfPresent(Double.self, forKey: .max)
        maxLength = try values.decodeIfPresent(Int.self, forKey: .maxLength)
        coerce = try values.decodeIfPresent(Bool.self, forKey: .coerce) ?? false
        jsonString = try values.decodeIfPresent(Bool.self, forKey: .jsonString) ?? false
        defaultValue = try values.decodeIfPresent(ColumnDefault.self, forKey: .defaultValue)
        unit = try values.decodeIfPresent(TimestampUnit.self, forKey: .unit)
        timezone = try values.decodeIfPresent(String.self, forKey: .timezone)
        binary = try values.decodeIfPresent(Bool.self, forKey: .binary) ?? false
    }
}
