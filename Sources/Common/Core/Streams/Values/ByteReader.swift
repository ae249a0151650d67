/// Reads little-endian integers and runs of bytes, never past the end.
struct ByteReader {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func next<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
        next(MemoryLayout<Integer>.size).map { Integer(littleEndian: $0.loadUnaligned(as: type)) }
    }

    mutating func next(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count <= rest.count else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }
}
