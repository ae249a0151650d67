internal import Foundation

/// One message of Postgres' protocol 3, as it came (Postgres documentation, 53.7 "Message Formats").
struct WireMessage {
    let bytes: [UInt8]
    /// Zero for a client's first, which has no type.
    let type: UInt8

    private static let query = UInt8(ascii: "Q")
    private static let commandComplete = UInt8(ascii: "C")

    /// From a client: ends the data of a COPY.
    var isCopyDone: Bool { type == UInt8(ascii: "c") }

    /// From the server: nothing is under way any more.
    var isReadyForQuery: Bool { type == UInt8(ascii: "Z") }

    /// From the server: a transaction is committed. One that had failed is answered by ROLLBACK.
    var isCommitted: Bool { type == Self.commandComplete && bytes.dropFirst(5).elementsEqual("COMMIT\0".utf8) }

    /// From a client: the number of COPYs that a script takes before its COMMIT, when it ends with one.
    var copiesBeforeCommit: Int? {
        guard type == Self.query else { return nil }
        let sql = String(decoding: bytes.dropFirst(5).dropLast(), as: UTF8.self)
        guard sql.hasSuffix("COMMIT") else { return nil }
        return sql.components(separatedBy: "FROM STDIN").count - 1
    }
}
