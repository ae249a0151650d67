import Common

/// What the columns of an increment stream add up to, of records or of rows: two of them are equal when each key has the
/// same sums, but for a chance of one in 2^64.
///
/// A key's sum is its records' sum, so all of it is linear and takes no memory per key: beside a column's sum there is one in
/// which each number is weighted by the hash of its key, so that what one key has too much does not make up for what
/// another lacks. All modulo 2^64.
struct Quantities: Equatable {
    private(set) var sums: [Int64]
    private var weighted: [UInt64]

    init(_ stream: StreamDefinition) {
        sums = stream.increments.map { _ in 0 }
        weighted = stream.increments.map { _ in 0 }
    }

    /// - Parameters:
    ///   - key: the key's values, in the key's order.
    ///   - increments: those of the stream's increments, in their order.
    mutating func add(key: [ColumnValue], increments: [ColumnValue]) {
        var bytes = ByteWriter()
        for value in key {
            // Postgres takes both zeros for one key.
            if case .double(0) = value {
                bytes.append(UInt8(ascii: "0"))
            } else {
                CanonicalJSON.write(value, asString: false, to: &bytes)
            }
            bytes.append(UInt8(ascii: ","))
        }
        let weight = RecordChecksum.of(offset: 0, key: bytes.bytes, value: nil)
        for (index, increment) in increments.enumerated() {
            guard case .integer(let number) = increment else { continue }
            sums[index] &+= number
            weighted[index] &+= weight &* UInt64(bitPattern: number)
        }
    }

    static func + (one: Quantities, other: Quantities) -> Quantities {
        var both = one
        for index in both.sums.indices {
            both.sums[index] &+= other.sums[index]
            both.weighted[index] &+= other.weighted[index]
        }
        return both
    }
}
