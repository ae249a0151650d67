private import CSimdjson
private import Glibc

/// The only user of simdjson: reads the values at fixed paths out of one document at a time.
///
/// Owned by one thread. Values borrow from the reader until its next document.
package struct DocumentReader: ~Copyable {
    package enum Value {
        case missing
        case null
        case boolean(Bool)
        case integer(Int64)
        case double(Double)
        case string(UnsafeRawBufferPointer)
        /// An object or array.
        case nested
        /// A number beyond what a double holds.
        case beyond
        /// A string with half a surrogate: no Unicode text.
        case brokenText
    }

    private let parser: OpaquePointer
    private let values: UnsafeMutableBufferPointer<mr_value>
    private let byteLimit: Int
    /// Whether the last document could be read.
    private var hasDocument = false

    package init(paths: [String], byteLimit: Int) {
        let pointers = paths.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        let created = pointers.map { UnsafePointer($0) }.withUnsafeBufferPointer {
            mr_parser_create($0.baseAddress, $0.count, byteLimit)
        }
        guard let created else { preconditionFailure("out of memory") }
        parser = created
        values = .allocate(capacity: paths.count)
        values.initialize(repeating: mr_value())
        self.byteLimit = byteLimit
    }

    deinit {
        mr_parser_destroy(parser)
        values.deallocate()
    }

    package mutating func read(_ document: UnsafeRawBufferPointer) throws(RecordRejection) {
        hasDocument = false
        let result = mr_parser_extract(
            parser, document.baseAddress?.assumingMemoryBound(to: CChar.self), document.count, values.baseAddress)
        switch Int(result) {
        case MR_OK: hasDocument = true
        case MR_NOT_OBJECT: throw RecordRejection(.notObject, String(cString: mr_parser_message(parser)))
        case MR_TOO_LARGE:
            throw RecordRejection(.tooLarge, "the record has \(document.count) bytes, the limit is \(byteLimit)")
        case MR_NO_MEMORY: preconditionFailure("out of memory")
        default: throw RecordRejection(.notJSON, String(cString: mr_parser_message(parser)))
        }
    }

    package subscript(index: Int) -> Value {
        let value = values[index]
        switch Int(value.kind) {
        case MR_MISSING: return .missing
        case MR_NULL: return .null
        case MR_BOOLEAN: return .boolean(value.integer != 0)
        case MR_INTEGER: return .integer(value.integer)
        case MR_UNSIGNED, MR_DOUBLE: return .double(value.number)
        case MR_STRING: return .string(UnsafeRawBufferPointer(start: value.bytes, count: value.length))
        case MR_BEYOND: return .beyond
        case MR_BROKEN_TEXT: return .brokenText
        default: return .nested
        }
    }

    package func isMissing(_ index: Int) -> Bool { Int(values[index].kind) == MR_MISSING }

    /// The fields of the innermost object on the way to a path, in the last document, and how many names lead to it.
    package func fields(towards index: Int) -> (names: [String], depth: Int) {
        var names: [String] = []
        guard hasDocument else { return (names, 0) }
        let depth = withUnsafeMutablePointer(to: &names) { names in
            mr_parser_fields(
                parser, index,
                { context, name, length in
                    let bytes = UnsafeRawBufferPointer(start: name, count: length)
                    context!.assumingMemoryBound(to: [String].self).pointee.append(
                        String(decoding: bytes, as: UTF8.self))
                }, names)
        }
        return (names, depth)
    }
}
