internal import Common
private import Foundation

/// The text of the values in a Kafka key that names a row without a document.
///
/// A JSON object is read like a record, with or without `payload` around it; a JSON string is the text that it holds; a key
/// of several columns is else a JSON array in the order of the stream's key. Anything else is text as it is.
///
/// Owns the bytes that it lends. Rare (deletes only), so that Foundation's reader is fast enough.
struct TombstoneKey: ~Copyable {
    private let storage: UnsafeMutableRawBufferPointer
    private let places: [Range<Int>]

    /// - Parameter columns: of the stream's key.
    static func read(
        _ key: UnsafeRawBufferPointer, _ columns: [Column]
    ) throws(RecordRejection) -> TombstoneKey {
        TombstoneKey(try texts(key, columns))
    }

    private init(_ texts: [[UInt8]]) {
        var places: [Range<Int>] = []
        var bytes: [UInt8] = []
        for text in texts {
            places.append(bytes.count..<(bytes.count + text.count))
            bytes += text
        }
        self.places = places
        // Never nothing: an empty text has an address.
        storage = .allocate(byteCount: max(1, bytes.count), alignment: 1)
        storage.copyBytes(from: bytes)
    }

    deinit {
        storage.deallocate()
    }

    subscript(index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[places[index]]) }

    private static func texts(
        _ key: UnsafeRawBufferPointer, _ columns: [Column]
    ) throws(RecordRejection) -> [[UInt8]] {
        let isLiteral = columns.count == 1 && { if case .path = columns[0].origin { false } else { true } }()
        let first = key.first { $0 != UInt8(ascii: " ") }
        let isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "\"") || columns.count > 1
        guard !isLiteral, isJSON else { return [Array(key)] }
        switch try? JSONSerialization.jsonObject(with: Data(key), options: .fragmentsAllowed) {
        case let object as [String: Any]:
            var texts: [[UInt8]] = []
            for column in columns { texts.append(try text(of: column, in: object)) }
            return texts
        case let text as String where columns.count == 1: return [Array(text.utf8)]
        case let elements as [Any] where columns.count > 1 && elements.count == columns.count:
            let texts = elements.compactMap { text(of: $0) }
            if texts.count == columns.count { return texts }
        default:
            if columns.count == 1 { return [Array(key)] }
        }
        throw RecordRejection(
            .badKey, "a tombstone's key must be a JSON object, or an array of \(columns.count) strings or numbers")
    }

    private static func text(of column: Column, in object: [String: Any]) throws(RecordRejection) -> [UInt8] {
        var names = [[column.name]]
        if case .path(let path) = column.origin { names.insert(ColumnOrigin.names(of: path), at: 0) }
        names += names.map { ["payload"] + $0 }
        for path in names {
            var found: Any? = object
            for name in path { found = (found as? [String: Any])?[name] }
            guard let found, !(found is NSNull) else { continue }
            guard let text = text(of: found) else {
                throw RecordRejection(
                    .badKey,
                    "the tombstone's key has an object or array for '\(column.name)': say which field with from")
            }
            return text
        }
        throw RecordRejection(.badKey, "the tombstone's key is a JSON object without '\(column.name)'")
    }

    private static func text(of value: Any) -> [UInt8]? {
        if let text = value as? String { return Array(text.utf8) }
        return (value as? NSNumber).map { Array($0.stringValue.utf8) }
    }
}
