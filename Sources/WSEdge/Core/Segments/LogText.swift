import Common
import Feed
import Foundation
import WebServer

/// What is said of logs over HTTP.
enum LogText {
    static func index(_ state: StreamState, _ version: LogVersion, _ audience: LogAudience) -> HTTPResponse {
        let sources = state.sources.sorted { $0.key < $1.key }.map { id, source in
            """
            "\(id)":{"topic":\(ServerMessage.quoted(source.place.topic)),"partition":\(source.place.partition),\
            "from":\(max(source.start, source.retainedFrom)),"next":\(source.next)}
            """
        }
        let text = """
            {"epoch":"\(state.epoch)","version":"\(version.text)","segment":\(LogSegment.offsets),\
            "sources":{\(sources.joined(separator: ","))}}
            """
        return .json(200, Array(text.utf8), headers: audience.headers(isComplete: false))
    }

    /// Which span of time it is, each as long as a request may wait. All who wait at an offset within one have the same address, and
    /// whoever has waited comes to another, where no cache still has the answer without rows.
    private static var cursor: String { String(Int(Date().timeIntervalSince1970) / EdgeLimits.pollSeconds) }

    /// Rows as NDJSON; what follows is said in header fields.
    static func segment(_ segment: LogSegment, _ audience: LogAudience) -> HTTPResponse {
        var headers = audience.headers(isComplete: segment.isComplete)
        headers["millrace-next"] = String(segment.next)
        // Of one address: what ends at the same offset is the same.
        var tag = String(segment.next)
        if !segment.isComplete {
            headers["millrace-tail"] = "true"
            headers["millrace-cursor"] = cursor
            tag += "-\(cursor)"
        }
        if audience.filter.isEmpty { headers["etag"] = "\"\(tag)\"" }
        var body: [UInt8] = []
        body.reserveCapacity(segment.rows.reduce(0) { $0 + $1.count + 1 })
        for row in segment.rows {
            body += row
            body.append(UInt8(ascii: "\n"))
        }
        return HTTPResponse(200, contentType: "application/x-ndjson", body: body, headers: headers)
    }
}

extension HTTPResponse {
    /// Whether a client has it (RFC 9110, section 13.1.2).
    func matches(_ field: String?) -> Bool {
        guard status == 200, let tag = headers["etag"], let field else { return false }
        return field.split(separator: ",").contains { one in
            let one = one.filter { $0 != " " }
            return one == "*" || one == tag || one == "W/\(tag)"
        }
    }

    var unchanged: HTTPResponse {
        var response = self
        response.status = 304
        return response
    }
}
