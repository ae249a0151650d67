package import Common

/// Finds the values of some columns in rows of canonical JSON, whose columns are always the same and in the same order: a
/// scan, no parse.
package struct RowFields: Sendable {
    /// By column: where its value begins behind the end of the one before, and whether it is wanted.
    private let prefixes: [Int]
    private let wanted: [Int]
    private let last: Int

    /// - Parameter columns: indices into the stream's columns.
    package init(_ stream: StreamDefinition, _ columns: some Sequence<Int>) {
        prefixes = CanonicalJSON.Keys(stream.columns).prefixLengths
        wanted = Set(columns).sorted()
        last = wanted.last ?? -1
    }

    /// Calls `body` with the JSON text of each wanted column's value, in the order of the columns.
    package func forEach(_ json: [UInt8], _ body: (_ column: Int, UnsafeRawBufferPointer) -> Void) {
        json.withUnsafeBytes { bytes in
            var position = 0
            var next = 0
            for column in 0..<(last + 1) {
                let start = position + prefixes[column]
                // Of another definition.
                guard start <= bytes.count else { return }
                let end = Self.end(of: bytes, from: start)
                if wanted[next] == column {
                    body(column, UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                    next += 1
                }
                position = end
            }
        }
    }

    /// The value of one column.
    package func value(_ column: Int, of json: [UInt8]) -> [UInt8] {
        var value: [UInt8] = []
        forEach(json) { found, bytes in if found == column { value = Array(bytes) } }
        return value
    }

    /// Canonical values are texts, numbers, and words: none is nested.
    private static func end(of bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        guard index < bytes.count else { return bytes.count }
        if bytes[index] == UInt8(ascii: "\"") {
            index += 1
            while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            return min(index + 1, bytes.count)
        }
        while index < bytes.count, bytes[index] != UInt8(ascii: ","), bytes[index] != UInt8(ascii: "}") { index += 1 }
        return index
    }
}
