import Common
import Feed
import Foundation

/// Messages to clients: the protocol `millrace.v1.json`.
enum ServerMessage {
    /// Rows as a message has them.
    struct Rows {
        struct Keyed {
            /// Of the rows, then of those that were deleted; nil where rows have none.
            var versions: [Int64]?
            /// Keys, as JSON objects.
            var deleted: [[UInt8]]
        }

        var rows: ArraySlice<FeedMessage.Row>
        /// Nil for rows of a log.
        var keyed: Keyed?
    }

    static func rows(sub: Int, _ rows: Rows, _ position: [SourceID: Int64]) -> [UInt8] {
        message("rows", sub, rows, #","position":\#(text(position))}"#)
    }

    static func snapshot(sub: Int, _ rows: Rows, more: Bool) -> [UInt8] {
        message("snapshot", sub, rows, #","more":\#(more)}"#)
    }

    private static func message(_ type: String, _ sub: Int, _ rows: Rows, _ end: String) -> [UInt8] {
        var writer = ByteWriter(capacity: 256 + rows.rows.reduce(0) { $0 + $1.json.count + 1 })
        writer.append(#"{"type":"\#(type)","sub":\#(sub),"rows":["#)
        write(rows.rows.lazy.map(\.json), to: &writer)
        writer.append("]")
        if let versions = rows.keyed?.versions {
            writer.append(#","versions":[\#(versions.map(String.init).joined(separator: ","))]"#)
        }
        if let deleted = rows.keyed?.deleted, !deleted.isEmpty {
            writer.append(#","deleted":["#)
            write(deleted, to: &writer)
            writer.append("]")
        }
        writer.append(end)
        return Array(writer.bytes)
    }

    /// - Parameter keys: as JSON objects.
    static func leave(sub: Int, _ keys: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(#"{"type":"leave","sub":\#(sub),"keys":["#)
        write(keys, to: &writer)
        writer.append("]}")
        return Array(writer.bytes)
    }

    private static func write(_ objects: some Sequence<[UInt8]>, to writer: inout ByteWriter) {
        var isFirst = true
        for object in objects {
            if !isFirst { writer.append(UInt8(ascii: ",")) }
            isFirst = false
            object.withUnsafeBytes { writer.append($0) }
        }
    }

    static func page(_ page: RowPage) -> [UInt8] {
        var writer = ByteWriter(capacity: 128 + page.rows.reduce(0) { $0 + $1.count + 1 })
        writer.append(#"{"epoch":"\#(page.epoch)","position":\#(text(page.position)),"rows":["#)
        write(page.rows, to: &writer)
        writer.append("]")
        if let next = page.next {
            writer.append(#","next":"#)
            json(next).withUnsafeBytes { writer.append($0) }
        }
        writer.append("}")
        return Array(writer.bytes)
    }

    static func json(_ place: RowPage.Place) -> [UInt8] {
        switch place {
        case .position(let position): Array(text(position).utf8)
        case .key(let values): Array("[\(values.map(quoted).joined(separator: ","))]".utf8)
        }
    }

    static func progress(sub: Int, _ position: [SourceID: Int64]) -> [UInt8] {
        Array(#"{"type":"progress","sub":\#(sub),"position":\#(text(position))}"#.utf8)
    }

    /// Why a subscription ended, or lost rows: `retention` or `epoch`.
    static func reset(sub: Int, reason: String) -> [UInt8] {
        Array(#"{"type":"reset","sub":\#(sub),"reason":"\#(reason)"}"#.utf8)
    }

    static func connected(id: RequestID, _ limits: EdgeLimits, _ access: Access) -> [UInt8] {
        let (user, role) = (access.user.map(quoted) ?? "null", access.role.map(quoted) ?? "null")
        let expiry = access.claims.map { #""expires_at":\#($0.expiresAt),"# } ?? ""
        return Array(
            """
            {"type":"connected","id":\(id.json),"user":\(user),"role":\(role),\(expiry)"ping_s":\(limits.pingSeconds),\
            "limits":{"message_bytes":\(limits.messageByteCount),"subscriptions":\(limits.subscriptions),\
            "publishing":\(limits.publishing)}}
            """.utf8)
    }

    static func subscribed(
        id: RequestID, sub: Int, stream: String, epoch: String, _ position: [SourceID: Int64], recovered: Bool,
        reason: String?
    ) -> [UInt8] {
        let reason = reason.map { #","reason":\#(quoted($0))"# } ?? ""
        return Array(
            """
            {"type":"subscribed","id":\(id.json),"sub":\(sub),"stream":\(quoted(stream)),"epoch":"\(epoch)",\
            "position":\(text(position)),"recovered":\(recovered)\(reason)}
            """.utf8)
    }

    static func unsubscribed(id: RequestID, sub: Int) -> [UInt8] {
        Array(#"{"type":"unsubscribed","id":\#(id.json),"sub":\#(sub)}"#.utf8)
    }

    static func acknowledged(id: RequestID, _ place: PublishedPlace) -> [UInt8] {
        Array(#"{"type":"ack","id":\#(id.json),\#(place.json)}"#.utf8)
    }

    /// - Parameter id: of the request; nil when it could not be read.
    static func error(id: RequestID?, _ error: RequestError) -> [UInt8] {
        let retry = error.retryAfter.map { #","retry_after_ms":\#($0)"# } ?? ""
        return Array(
            """
            {"type":"error","id":\(id?.json ?? "null"),"code":"\(error.code)",\
            "message":\(quoted(error.message))\(retry)}
            """.utf8)
    }

    /// Of a subscription that is there no more.
    static func ended(sub: Int, _ error: RequestError) -> [UInt8] {
        let retry = error.retryAfter.map { #","retry_after_ms":\#($0)"# } ?? ""
        return Array(
            #"{"type":"error","sub":\#(sub),"code":"\#(error.code)","message":\#(quoted(error.message))\#(retry)}"#.utf8
        )
    }

    static func goAway(reconnectIn milliseconds: Int) -> [UInt8] {
        Array(#"{"type":"goaway","reconnect_in_ms":\#(milliseconds)}"#.utf8)
    }

    static func text(_ position: [SourceID: Int64]) -> String {
        let pairs = position.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }
        return "{\(pairs.joined(separator: ","))}"
    }

    static func quoted(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
