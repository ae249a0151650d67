package import Common
private import Glibc

/// The values of a row at which filters look.
package struct FilterRow {
    private let types: [Int: ColumnType]
    /// Canonical JSON, by column.
    private var texts: [Int: [UInt8]] = [:]

    package init(_ json: [UInt8], _ fields: RowFields, types: [Int: ColumnType]) {
        self.types = types
        var texts: [Int: [UInt8]] = [:]
        fields.forEach(json) { column, bytes in texts[column] = Array(bytes) }
        self.texts = texts
    }

    package func text(_ column: Int) -> [UInt8] { texts[column] ?? [] }

    /// Nil for null.
    package func value(_ column: Int) -> FilterValue? {
        guard let text = texts[column], let type = types[column] else { return nil }
        return FilterValue(canonical: text, type)
    }

    package func number(_ column: Int) -> Double? {
        guard let text = texts[column] else { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }
}

extension FilterValue {
    /// Of a column's value in canonical JSON; nil for null and for what is no number of a numeric column (`"NaN"`).
    package init?(canonical text: [UInt8], _ type: ColumnType) {
        guard text != Array("null".utf8) else { return nil }
        switch type {
        case .integer, .bigint:
            let digits = text.first == UInt8(ascii: "\"") ? text.dropFirst().dropLast() : text[...]
            guard let value = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
            self = .integer(value)
        case .double:
            guard let value = Double(String(decoding: text, as: UTF8.self)) else { return nil }
            self = .double(value)
        case .text, .uuid, .timestamp, .boolean: self = .text(text)
        }
    }
}
