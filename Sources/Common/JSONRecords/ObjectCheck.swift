/// Whether a document is one JSON object: what a record has to be, whatever its stream. Owned by one thread.
package struct ObjectCheck: ~Copyable {
    private var reader: DocumentReader

    /// - Parameter byteLimit: of a document.
    package init(byteLimit: Int = 1_048_576) {
        reader = DocumentReader(paths: [], byteLimit: byteLimit)
    }

    package mutating func check(_ document: UnsafeRawBufferPointer) throws(RecordRejection) {
        try reader.read(document)
    }
}
