import Common
import JSONRecords

/// Reads one stream's records before they go to Kafka: are they objects, and what is their key? On the server's thread.
final class KeyReader {
    /// A class, since an optional of what can't be copied can't be changed in place.
    private final class Keyed {
        var key: RecordKey

        init?(_ stream: StreamDefinition) {
            guard let key = RecordKey(stream) else { return nil }
            self.key = key
        }
    }

    private let keyed: Keyed?
    private var check = ObjectCheck()

    init(_ stream: StreamDefinition) {
        keyed = Keyed(stream)
    }

    /// Nil where the stream or the record has none: then Kafka picks a partition.
    func key(of record: ArraySlice<UInt8>) throws(RecordRejection) -> [UInt8]? {
        let result: Result<[UInt8]?, RecordRejection> = record.withUnsafeBytes { bytes in
            Result { () throws(RecordRejection) in
                if let keyed { return try keyed.key.bytes(of: bytes) }
                try check.check(bytes)
                return nil
            }
        }
        return try result.get()
    }
}
