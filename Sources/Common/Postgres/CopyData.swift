package import Common

/// The bytes of one `COPY … FROM STDIN`, written once and sent from where they are.
package final class CopyData {
    package var writer: ByteWriter

    /// - Parameter capacity: what is expected; it may grow.
    package init(capacity: Int = 256) {
        writer = ByteWriter(capacity: capacity)
    }

    package convenience init(_ bytes: [UInt8]) {
        self.init(capacity: max(1, bytes.count))
        bytes.withUnsafeBytes { writer.append($0) }
    }
}
