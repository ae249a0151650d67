private import Foundation

/// The text of the values in a Kafka key that names several columns: a JSON array, in the order of the stream's key.
///
/// Owns the bytes that it lends. Rare (tombstones only), so that Foundation's reader is fast enough.
struct CompositeKey: ~Copyable {
    private let storage: UnsafeMutableRawBufferPointer
    private let places: [Range<Int>]

    /// Nil when it is no array of so many strings and numbers.
    init?(_ key: UnsafeRawBufferPointer, count: Int) {
        let elements = (try? JSONSerialization.jsonObject(with: Data(key))) as? [Any]
        let texts = (elements ?? []).compactMap { ($0 as? String) ?? ($0 as? NSNumber)?.stringValue }
        guard texts.count == count, elements?.count == count else { return nil }
        var places: [Range<Int>] = []
        var bytes: [UInt8] = []
        for text in texts {
            places.append(bytes.count..<(bytes.count + text.utf8.count))
            bytes += Array(text.utf8)
        }
        self.places = places
        storage = .allocate(byteCount: bytes.count, alignment: 1)
        storage.copyBytes(from: bytes)
    }

    deinit {
        storage.deallocate()
    }

    subscript(index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[places[index]]) }
}
