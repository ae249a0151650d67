internal import CMicroHTTPD

/// Answers what libmicrohttpd has parsed. All of it on the library's thread.
final class Responder: Sendable {
    private let answer: @Sendable (String) -> Response

    init(_ answer: @escaping @Sendable (String) -> Response) {
        self.answer = answer
    }

    /// Called once when the head is there, again for each piece of a body, and a last time without one.
    /// "No" closes the connection.
    static let callback: MHD_AccessHandlerCallback = { context, connection, url, method, _, _, bodyByteCount, state in
        guard let context, let connection, let url, let method, let bodyByteCount, let state else {
            return millrace_http_no
        }
        let responder = Unmanaged<Responder>.fromOpaque(context).takeUnretainedValue()
        guard ["GET", "HEAD"].contains(String(cString: method)) else {
            return send(
                Response(status: UInt32(MHD_HTTP_METHOD_NOT_ALLOWED), body: "only GET and HEAD\n"), on: connection,
                fields: ["Allow": "GET, HEAD", "Connection": "close"])
        }
        if state.pointee == nil {
            // Any mark but nil; it is never looked into.
            state.pointee = context
            return millrace_http_yes
        }
        guard bodyByteCount.pointee == 0 else { return millrace_http_no }
        return send(responder.answer(String(cString: url)), on: connection)
    }

    private static func send(_ response: Response, on connection: OpaquePointer, fields: [String: String] = [:])
        -> MHD_Result
    {
        var body = response.body
        let made = body.withUTF8 { bytes in
            millrace_http_response(bytes.baseAddress, bytes.count)
        }
        guard let made else { return millrace_http_no }
        defer { MHD_destroy_response(made) }
        let all = fields.merging(["Content-Type": response.contentType, "Cache-Control": "no-store"]) { $1 }
        for (name, value) in all where MHD_add_response_header(made, name, value) != millrace_http_yes {
            return millrace_http_no
        }
        return MHD_queue_response(connection, response.status, made)
    }
}
