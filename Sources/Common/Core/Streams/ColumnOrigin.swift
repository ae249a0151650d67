/// Where a column's value comes from: the record's JSON, or the Kafka record around it.
package enum ColumnOrigin: Hashable, Sendable {
    /// Names joined by dots, from the document's root; a number below an array is a place in it, from 0. A backslash before
    /// a dot or backslash makes it part of a name.
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

extension ColumnOrigin {
    /// The path of one field, whatever its name holds.
    package static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "\\") }) else { return name }
        return name.replacing("\\", with: "\\\\").replacing(".", with: "\\.")
    }

    /// The names that a path joins.
    package static func names(of path: String) -> [String] {
        var names = [""]
        var isEscaped = false
        for character in path.unicodeScalars {
            if isEscaped, character != ".", character != "\\" { names[names.count - 1] += "\\" }
            if !isEscaped, character == "\\" {
                isEscaped = true
                continue
            }
            if !isEscaped, character == "." {
                names.append("")
            } else {
                names[names.count - 1].unicodeScalars.append(character)
            }
            isEscaped = false
        }
        if isEscaped { names[names.count - 1] += "\\" }
        return names
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
