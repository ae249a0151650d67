private import CXXHash

/// XXH64 over (offset, key, value) of a record: what the ledger adds up modulo 2⁶⁴.
///
/// Lengths go in with the bytes, absence as −1, so that moving a byte from key to value changes the sum.
package enum RecordChecksum {
    package static func of(offset: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?) -> UInt64 {
        var header = (
            offset.littleEndian, Int64(key?.count ?? -1).littleEndian, Int64(value?.count ?? -1).littleEndian
        )
        let seed = withUnsafeBytes(of: &header) { XXH64($0.baseAddress, $0.count, 0) }
        let withKey = key.map { XXH64($0.baseAddress, $0.count, seed) } ?? seed
        return value.map { XXH64($0.baseAddress, $0.count, withKey) } ?? withKey
    }

    /// XXH64 over a name's UTF-8.
    package static func of(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { of(UnsafeRawBufferPointer($0)) }
    }

    /// XXH64.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 { XXH64(bytes.baseAddress, bytes.count, 0) }
}
