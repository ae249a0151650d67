/// Finds the pieces of a JSON text (RFC 8259) as they stand, so that what a client sent reaches Kafka byte for byte. It
/// looks at the structure only: pieces are read by a parser before they count.
struct JSONText {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The values of an array; nil when the text is none. Elements may be no JSON.
    var elements: [ArraySlice<UInt8>]? {
        var position = skipSpace(0)
        guard byte(position) == UInt8(ascii: "[") else { return nil }
        position = skipSpace(position + 1)
        var elements: [ArraySlice<UInt8>] = []
        if byte(position) == UInt8(ascii: "]") { return isEnd(position + 1) ? [] : nil }
        while true {
            guard let end = valueEnd(position) else { return nil }
            elements.append(bytes[position..<end])
            position = skipSpace(end)
            switch byte(position) {
            case UInt8(ascii: ","): position = skipSpace(position + 1)
            case UInt8(ascii: "]"): return isEnd(position + 1) ? elements : nil
            default: return nil
            }
        }
    }

    /// The last value of that name in an object; names with escapes are not found.
    func member(_ name: StaticString) -> ArraySlice<UInt8>? {
        var found: ArraySlice<UInt8>?
        var position = skipSpace(0)
        guard byte(position) == UInt8(ascii: "{") else { return nil }
        position = skipSpace(position + 1)
        while byte(position) == UInt8(ascii: "\"") {
            guard let nameEnd = valueEnd(position) else { return nil }
            let isWanted = name.withUTF8Buffer { $0.elementsEqual(bytes[(position + 1)..<(nameEnd - 1)]) }
            position = skipSpace(nameEnd)
            guard byte(position) == UInt8(ascii: ":") else { return nil }
            position = skipSpace(position + 1)
            guard let end = valueEnd(position) else { return nil }
            if isWanted { found = bytes[position..<end] }
            position = skipSpace(end)
            guard byte(position) == UInt8(ascii: ",") else { break }
            position = skipSpace(position + 1)
        }
        return found
    }

    private func byte(_ position: Int) -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private func isEnd(_ position: Int) -> Bool { skipSpace(position) == bytes.count }

    private func skipSpace(_ start: Int) -> Int {
        var position = start
        while let byte = byte(position), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
        return position
    }

    /// Behind the value that begins there; nil when it doesn't end.
    private func valueEnd(_ start: Int) -> Int? {
        var position = start
        var depth = 0
        while let byte = byte(position) {
            switch byte {
            case UInt8(ascii: "\""):
                guard let end = stringEnd(position) else { return nil }
                position = end
                if depth == 0 { return position }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // Of what is around: the value before it has ended.
                if depth == 0 { return position > start ? position : nil }
                depth -= 1
                if depth == 0 { return position + 1 }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return position > start ? position : nil }
            default: break
            }
            position += 1
        }
        return depth == 0 && position > start ? position : nil
    }

    private func stringEnd(_ start: Int) -> Int? {
        var position = start + 1
        while let byte = byte(position) {
            if byte == UInt8(ascii: "\\") {
                position += 2
            } else if byte == UInt8(ascii: "\"") {
                return position + 1
            } else {
                position += 1
            }
        }
        return nil
    }
}
