extension CanonicalJSON {
    /// The names of a stream's columns as object keys, escaped once: `"name":`, with `{` or `,` before it.
    package struct Keys: Sendable {
        private struct Key {
            /// In `text`.
            let prefix: Range<Int>
            /// Whether an integer is written as a string.
            let asString: Bool
        }

        private let text: [UInt8]
        private let keys: [Key]

        package init(_ columns: [Column]) {
            var writer = ByteWriter()
            keys = columns.enumerated().map { index, column in
                let start = writer.count
                writer.append(UInt8(ascii: index == 0 ? "{" : ","))
                CanonicalJSON.write(string: column.name, to: &writer)
                writer.append(UInt8(ascii: ":"))
                return Key(prefix: start..<writer.count, asString: column.jsonString)
            }
            // So that the last key's end can be read as a whole word.
            text = Array(writer.bytes) + [UInt8](repeating: 0, count: 8)
        }

        /// Bytes before each value, from the end of the one before.
        package var prefixLengths: [Int] { keys.map(\.prefix.count) }

        var count: Int { keys.count }
        var byteCount: Int { text.count }

        /// Calls `body` for each column; behind a prefix seven more bytes can be read.
        @inline(__always) func forEach(
            _ body: (_ column: Int, _ prefix: UnsafeRawBufferPointer, _ asString: Bool) -> Void
        ) {
            text.withUnsafeBytes { text in
                keys.withUnsafeBufferPointer { keys in
                    for (index, key) in keys.enumerated() {
                        body(index, UnsafeRawBufferPointer(rebasing: text[key.prefix]), key.asString)
                    }
                }
            }
        }
    }
}
