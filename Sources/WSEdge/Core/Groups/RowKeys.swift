import Common
import Feed

/// The keys of a stream's rows, as JSON objects of the key's columns in their order: equal keys are equal bytes.
struct RowKeys: Sendable {
    private let fields: RowFields
    private let columns: [Int]
    private let prefixes: [[UInt8]]

    init(_ stream: StreamDefinition) {
        columns = stream.keyIndices
        fields = RowFields(stream, columns)
        prefixes = columns.enumerated().map { place, index in
            Array("\(place == 0 ? "{" : ",")\(ServerMessage.quoted(stream.columns[index].name)):".utf8)
        }
    }

    func json(_ row: [UInt8]) -> [UInt8] {
        var values: [Int: [UInt8]] = [:]
        fields.forEach(row) { values[$0] = Array($1) }
        var json: [UInt8] = []
        for (place, column) in columns.enumerated() {
            json += prefixes[place]
            json += values[column] ?? []
        }
        json.append(UInt8(ascii: "}"))
        return json
    }
}
