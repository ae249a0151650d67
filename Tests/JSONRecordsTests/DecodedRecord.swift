import Common
import JSONRecords

/// What a decoder makes of one record.
enum DecodedRecord: Equatable {
    /// Canonical JSON.
    case row(String)
    case deleted(String)
    case dead(RecordRejection.Code, String)

    var code: RecordRejection.Code? { if case .dead(let code, _) = self { code } else { nil } }
    var reason: String { if case .dead(_, let reason) = self { reason } else { "" } }

    init(_ value: [UInt8]?, key: [UInt8]? = nil, headers: [String: [UInt8]] = [:], _ stream: StreamDefinition) {
        var decoder = RecordDecoder(stream, byteLimit: 10_000)
        let names = headers.keys.sorted()
        // Kept for the length of the call.
        let buffers = names.map { name in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: headers[name]!.count + 1, alignment: 1)
            buffer.copyBytes(from: headers[name]!)
            return UnsafeRawBufferPointer(rebasing: buffer[..<headers[name]!.count])
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let key = key.map { key in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: key.count + 1, alignment: 1)
            buffer.copyBytes(from: key)
            return UnsafeRawBufferPointer(rebasing: buffer[..<key.count])
        }
        defer { key?.deallocate() }
        let metadata = RecordMetadata(
            key: key, timestamp: 0, partition: 3, offset: 7, headers: Array(zip(names, buffers)))
        do throws(RecordRejection) {
            var isDeleted = true
            if let value {
                let decoded = try Self.decode(value, metadata, &decoder)
                if case .row = decoded { isDeleted = false }
            } else {
                try decoder.decodeTombstone(metadata)
            }
            var writer = ByteWriter()
            CanonicalJSON.write(row: decoder.values, keys: CanonicalJSON.Keys(stream.columns), to: &writer)
            let json = String(decoding: writer.bytes, as: UTF8.self)
            self = isDeleted ? .deleted(json) : .row(json)
        } catch {
            self = .dead(error.code, error.reason)
        }
    }

    private static func decode(
        _ value: [UInt8], _ metadata: RecordMetadata, _ decoder: inout RecordDecoder
    ) throws(RecordRejection) -> RecordDecoder.Decoded {
        var result: Result<RecordDecoder.Decoded, RecordRejection>?
        value.withUnsafeBytes { bytes in
            do throws(RecordRejection) {
                result = .success(try decoder.decode(bytes, metadata))
            } catch {
                result = .failure(error)
            }
        }
        return try result!.get()
    }

    init(_ json: String, _ columns: [Column]) {
        self.init(Array(json.utf8), StreamDefinition(name: "s", topics: ["s"], mode: .append, columns: columns))
    }
}
