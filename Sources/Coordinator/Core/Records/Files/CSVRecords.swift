internal import Common
internal import JSONRecords

/// Records from comma-separated values with a header line. Fields that no column reads are left out; an empty field is
/// null, unless it is text in quotes.
final class CSVRecords: RecordSource {
    private struct Field {
        let column: Column
        let place: Int
    }

    private let stream: StreamDefinition
    private let topic: String
    private let map: FieldMap
    private let checker: RecordChecker
    private var input: InputFile
    private var parser: CSVParser
    /// Known once the header has been read.
    private var layout: DocumentLayout?
    private var fields: [Field] = []
    private var headerCount = 0
    private var isAtEnd = false
    private var writer = ByteWriter(capacity: 1024)

    private static let chunkByteCount = 262_144

    /// - Parameters:
    ///   - map: from columns to the header's fields.
    ///   - byteLimit: of a record.
    init(_ stream: StreamDefinition, path: String, map: [String: String], byteLimit: Int) throws(StartError) {
        self.stream = stream
        topic = stream.topics[0]
        self.map = try FieldMap(stream, map)
        checker = try RecordChecker(stream, byteLimit: byteLimit)
        parser = CSVParser(byteLimit: byteLimit)
        input = try InputFile(path, capacity: Self.chunkByteCount)
    }

    var progress: (read: Int64, size: Int64)? { input.size.map { (input.consumed, $0) } }

    func next(_ take: (OutgoingRecord) throws -> Void) throws -> RecordSourceStep {
        while true {
            if let result = try parse() {
                switch result {
                case .bad(let reason): throw BadLine(line: parser.line, reason: reason)
                case .more: break
                case .record:
                    guard layout != nil else {
                        try readHeader()
                        continue
                    }
                    try use(take)
                    return .record
                }
            } else {
                guard layout != nil else { throw StartError("\(input.name): has no header line", .usage) }
                return .end
            }
            switch try input.fill() {
            case .more: continue
            case .waiting: return .waiting(input.descriptor)
            case .end: isAtEnd = true
            }
        }
    }

    /// Nil at the end of everything.
    private func parse() throws -> CSVParser.Result? {
        let (taken, result) = parser.parse(input.unread)
        input.consume(taken)
        return result == .more && isAtEnd ? parser.finish() : result
    }

    private func readHeader() throws {
        let names = (0..<parser.fieldCount).map { String(decoding: parser.field($0).bytes, as: UTF8.self) }
        headerCount = names.count
        func place(_ entry: FieldMap.Entry) throws -> Int? {
            guard let field = entry.field else {
                return names.firstIndex(of: entry.path) ?? names.firstIndex(of: entry.column.name)
            }
            guard let place = names.firstIndex(of: field) else {
                throw StartError(
                    "--map: \(input.name) has no field '\(field)'; its header says \(names.joined(separator: ", "))",
                    .usage)
            }
            return place
        }
        var entries: [FieldMap.Entry] = []
        for entry in map.entries {
            if let place = try place(entry) {
                entries.append(entry)
                fields.append(Field(column: entry.column, place: place))
            } else if entry.column.required {
                throw StartError(
                    "\(input.name): has no field for column '\(entry.column.name)', which stream '\(stream.name)' "
                        + "requires; its header says \(names.joined(separator: ", ")): "
                        + "--map \(entry.column.name)=FIELD", .usage)
            }
        }
        guard !entries.isEmpty else {
            throw StartError(
                "\(input.name): no field is called like a column of stream '\(stream.name)'; its header says "
                    + names.joined(separator: ", "), .usage)
        }
        layout = try FieldMap.layout(entries, of: stream)
    }

    private func use(_ take: (OutgoingRecord) throws -> Void) throws {
        guard parser.fieldCount == headerCount else {
            throw BadLine(line: parser.line, reason: "has \(parser.fieldCount) fields, the header \(headerCount)")
        }
        writer.truncate()
        layout!.write(to: &writer) { index, writer in
            let (bytes, isQuoted) = parser.field(fields[index].place)
            CSVValue.write(bytes, isQuoted: isQuoted, as: fields[index].column, to: &writer)
        }
        do {
            try checker.check(writer.bytes) { key in
                try take(OutgoingRecord(topic: topic, key: key, value: writer.bytes))
            }
        } catch let error as RecordRejection {
            throw BadLine(line: parser.line, reason: error.reason)
        }
    }
}
