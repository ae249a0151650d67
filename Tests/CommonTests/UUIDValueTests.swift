import Common
import Testing

@Suite("UUIDs")
struct UUIDValueTests {
    private func read(_ text: String) -> UUIDValue? {
        var text = text
        return text.withUTF8 { UUIDValue(UnsafeRawBufferPointer($0)) }
    }

    @Test("Each digit has its place, in either case, and is written in lower case")
    func digits() {
        let text = "01234567-89ab-cdef-fedc-ba9876543210"
        let value = read(text)
        #expect(value == UUIDValue(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210))
        #expect(value?.description == text && read(text.uppercased()) == value)
        for _ in 0..<100 {
            let random = UUIDValue.random()
            #expect(read(random.description) == random)
        }
    }

    @Test("A text in which one byte is something else is none", arguments: 0..<36)
    func others(place: Int) {
        let right = Array("01234567-89ab-cdef-fedc-ba9876543210".utf8)
        let isDash = right[place] == UInt8(ascii: "-")
        for byte in UInt8.min...UInt8.max {
            var text = right
            text[place] = byte
            let isDigit = Unicode.Scalar(byte).isASCII && Character(Unicode.Scalar(byte)).isHexDigit
            let value = text.withUnsafeBytes { UUIDValue($0) }
            #expect((value != nil) == (isDash ? byte == UInt8(ascii: "-") : isDigit), "byte \(byte)")
        }
        #expect(right.dropLast().withUnsafeBytes { UUIDValue($0) } == nil)
    }
}
