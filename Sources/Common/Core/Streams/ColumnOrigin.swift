/// Where a column's value comes from: the record's JSON, or the Kafka record around it.
package enum ColumnOrigin: Hashable, Sendable {
    /// Names joined by dots, from the document's root.
    case path(String)
    case key
    case timestamp
    case partition
    case offset
    case header(String)

    /// `$key`, `$timestamp`, `$partition`, `$offset`, `$header.NAME`, else a dotted path.
    package init(_ text: String) {
        switch text {
        case "$key": self = .key
        case "$timestamp": self = .timestamp
        case "$partition": self = .partition
        case "$offset": self = .offset
        default:
            self = text.hasPrefix("$header.") ? .header(String(text.dropFirst("$header.".count))) : .path(text)
        }
    }
}

extension ColumnOrigin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .path(let path): path
        case .key: "$key"
        case .timestamp: "$timestamp"
        case .partition: "$partition"
        case .offset: "$offset"
        case .header(let name): "$header.\(name)"
        }
    }
}

extension ColumnOrigin: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
