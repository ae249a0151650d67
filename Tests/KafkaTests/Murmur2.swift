/// Which partition Java's default partitioner chooses (Kafka's `Utils.murmur2` and `toPositive`).
enum Murmur2 {
    static func partition(of key: [UInt8], count: Int32) -> Int32 {
        Int32(bitPattern: hash(key) & 0x7FFF_FFFF) % count
    }

    private static func hash(_ data: [UInt8]) -> UInt32 {
        let multiplier: UInt32 = 0x5BD1_E995
        var hash = 0x9747_B28C ^ UInt32(data.count)
        for start in stride(from: 0, to: data.count - data.count % 4, by: 4) {
            var word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[start + $1]) << UInt32(8 * $1) }
            word &*= multiplier
            word ^= word >> 24
            hash = (hash &* multiplier) ^ (word &* multiplier)
        }
        let rest = data.suffix(data.count % 4)
        if !rest.isEmpty {
            for (index, byte) in rest.enumerated() { hash ^= UInt32(byte) << UInt32(8 * index) }
            hash &*= multiplier
        }
        hash ^= hash >> 13
        hash &*= multiplier
        return hash ^ (hash >> 15)
    }
}
