/// Headers that own their bytes.
struct StoredHeaders {
    private var names: [String] = []
    private var places: [Range<Int>?] = []
    /// Never empty, so that an empty value has an address and is told from none.
    private var bytes: [UInt8] = [0]

    mutating func append(_ name: String, _ value: [UInt8]?) {
        names.append(name)
        places.append(value.map { bytes.count..<(bytes.count + $0.count) })
        bytes += value ?? []
    }

    /// Lends them as a record's headers.
    func withBuffers(_ body: ([(name: String, value: UnsafeRawBufferPointer)]) -> Void) {
        bytes.withUnsafeBytes { bytes in
            body(
                zip(names, places).map { name, place in
                    (name, place.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) } ?? .init(start: nil, count: 0))
                })
        }
    }
}
