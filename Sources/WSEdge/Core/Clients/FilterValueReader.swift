import Common
import Foundation
import JSONRecords

/// Reads values for one column as rows have them: by the way of a record, so that every value that a record may have is a
/// filter's too.
struct FilterValueReader: ~Copyable {
    private let column: Column
    private var decoder: RecordDecoder
    private let encoder = JSONEncoder()

    init(_ column: Column) {
        self.column = column
        decoder = RecordDecoder(
            StreamDefinition(
                name: "filter", topics: [], mode: .append,
                columns: [
                    Column(
                        "v", column.type, coerce: column.type == .timestamp, jsonString: true, unit: column.unit,
                        timezone: column.timezone)
                ]))
    }

    mutating func canonical(_ scalar: FilterRequest.Scalar) throws(RequestError) -> [UInt8] {
        guard scalar != .null else { return Array("null".utf8) }
        guard let document = try? encoder.encode(["v": scalar]), isValue(Array(document)) else {
            throw FilterRequest.wrong("'where.\(column.name)' takes values of the type \(column.type.rawValue)")
        }
        var writer = ByteWriter()
        CanonicalJSON.write(decoder.values[0], asString: column.jsonString, to: &writer)
        return Array(writer.bytes)
    }

    private mutating func isValue(_ document: [UInt8]) -> Bool {
        let metadata = RecordMetadata(key: nil, timestamp: nil, partition: 0, offset: 0)
        return document.withUnsafeBytes { bytes in (try? decoder.decode(bytes, metadata)) != nil }
    }
}
