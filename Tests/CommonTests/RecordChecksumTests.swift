import Common
import Testing

@Suite("Record checksums")
struct RecordChecksumTests {
    private func checksum(_ offset: Int64, _ key: String?, _ value: String?) -> UInt64 {
        func optional(_ text: String?, _ body: (UnsafeRawBufferPointer?) -> UInt64) -> UInt64 {
            guard let text else { return body(nil) }
            return withBytes(text) { body($0) }
        }
        return optional(key) { key in optional(value) { RecordChecksum.of(offset: offset, key: key, value: $0) } }
    }

    @Test("Offset, key, value, their absence and their boundary all count")
    func distinguishes() {
        let sums: Set<UInt64> = [
            checksum(0, "ab", "c"), checksum(1, "ab", "c"), checksum(0, "a", "bc"), checksum(0, "abc", ""),
            checksum(0, "", "abc"), checksum(0, nil, "abc"), checksum(0, "abc", nil), checksum(0, nil, nil),
            checksum(0, "", ""),
        ]
        #expect(sums.count == 9)
        #expect(checksum(0, "ab", "c") == checksum(0, "ab", "c"))
    }

    @Test("The value of the checksum stays what ledgers on disk hold")
    func isStable() {
        #expect(checksum(42, "key", "value") == 13_873_631_579_063_385_214)
    }
}
