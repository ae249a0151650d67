/// A growing run of bytes that is written once and read many times, reused from batch to batch.
///
/// Owned by one thread. Grows by doubling; whoever fills it bounds it.
package struct ByteWriter: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    package private(set) var count = 0

    package init(capacity: Int = 256) {
        precondition(capacity > 0)
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit {
        base.deallocate()
    }

    /// All that was written; valid until the next write.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    package func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    /// Forgets what lies behind `count`, keeping the memory.
    package mutating func truncate(to count: Int = 0) {
        precondition(count <= self.count)
        self.count = count
    }

    package mutating func reserve(_ additional: Int) {
        guard count + additional > capacity else { return }
        let larger = max(capacity * 2, count + additional)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    package mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    package mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, !source.isEmpty else { return }
        reserve(source.count)
        (base + count).copyMemory(from: start, byteCount: source.count)
        count += source.count
    }

    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// In network byte order, as Postgres sends integers.
    package mutating func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
        store(value.bigEndian)
    }

    package mutating func append<Integer: FixedWidthInteger>(littleEndian value: Integer) {
        store(value.littleEndian)
    }

    /// In decimal.
    package mutating func append<Integer: FixedWidthInteger & SignedInteger>(decimal value: Integer) {
        let start = count
        var magnitude = UInt64(value.magnitude)
        repeat {
            append(UInt8(ascii: "0") + UInt8(magnitude % 10))
            magnitude /= 10
        } while magnitude > 0
        if value < 0 { append(UInt8(ascii: "-")) }
        var digits = UnsafeMutableRawBufferPointer(start: base + start, count: count - start)
        digits.reverse()
    }

    /// Writes over four bytes that are there already: a length that was not known before its content.
    package mutating func replace(bigEndian value: Int32, at offset: Int) {
        precondition(offset + 4 <= count)
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
    }

    private mutating func store<Integer: FixedWidthInteger>(_ value: Integer) {
        let size = MemoryLayout<Integer>.size
        reserve(size)
        base.storeBytes(of: value, toByteOffset: count, as: Integer.self)
        count += size
    }
}
