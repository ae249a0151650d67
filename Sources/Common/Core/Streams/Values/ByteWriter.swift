/// A growing run of bytes that is written once and read many times, reused from batch to batch.
///
/// Owned by one thread. Grows by doubling; whoever fills it bounds it. Inlinable, since every field of every row
/// passes through it and the callers are other modules.
package struct ByteWriter: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var filled = 0

    /// Bytes written.
    @inlinable package var count: Int { filled }

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
    @inlinable package mutating func truncate(to count: Int = 0) {
        precondition(count <= self.count)
        filled = count
    }

    @inlinable package mutating func reserve(_ additional: Int) {
        if count + additional > capacity { grow(by: additional) }
    }

    @usableFromInline mutating func grow(by additional: Int) {
        let larger = max(capacity * 2, count + additional)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    @inlinable package mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        filled += 1
    }

    @inlinable package mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, !source.isEmpty else { return }
        reserve(source.count)
        (base + count).copyMemory(from: start, byteCount: source.count)
        filled += source.count
    }

    @inlinable package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    // One function a type rather than a generic one, which would not be specialized for callers in other modules.

    /// In network byte order, as Postgres sends integers.
    package mutating func append(bigEndian value: Int16) { store(value.bigEndian) }
    package mutating func append(bigEndian value: Int32) { store(value.bigEndian) }
    package mutating func append(bigEndian value: Int64) { store(value.bigEndian) }
    package mutating func append(bigEndian value: UInt64) { store(value.bigEndian) }

    package mutating func append(littleEndian value: UInt32) { store(value.littleEndian) }
    package mutating func append(littleEndian value: Int32) { store(value.littleEndian) }
    package mutating func append(littleEndian value: Int64) { store(value.littleEndian) }

    /// Room for so many bytes, which the caller fills from there; then `advance` counts what it has filled.
    package mutating func room(for byteCount: Int) -> UnsafeMutableRawPointer {
        reserve(byteCount)
        return base + filled
    }

    package mutating func advance(to end: UnsafeMutableRawPointer) {
        filled = end - base
        precondition(filled <= capacity)
    }

    /// In decimal.
    package mutating func append(decimal value: Int64) {
        var place = room(for: UnsafeMutableRawPointer.decimalByteLimit)
        place.put(decimal: value)
        advance(to: place)
    }

    /// Writes over four bytes that are there already: a length that was not known before its content.
    @inlinable package mutating func replace(bigEndian value: Int32, at offset: Int) {
        precondition(offset + 4 <= count)
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
    }

    @inlinable package mutating func replace(littleEndian value: UInt32, at offset: Int) {
        precondition(offset + 4 <= count)
        base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }

    private mutating func store(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { append($0) }
    }
}
