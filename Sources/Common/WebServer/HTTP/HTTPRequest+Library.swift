internal import CWebSockets

/// Reads what the library has parsed of a head. It holds that only in the callbacks in which a request begins.
extension HTTPRequest {
    /// Methods by the library's numbers.
    private static let methods: [Int32: Method] = [
        LWSHUMETH_GET: .get, LWSHUMETH_POST: .post, LWSHUMETH_OPTIONS: .options, LWSHUMETH_PUT: .put,
        LWSHUMETH_PATCH: .patch, LWSHUMETH_DELETE: .delete, LWSHUMETH_HEAD: .head,
    ].reduce(into: [:]) { $0[Int32($1.key)] = $1.value }

    private static let queryLimit = 64

    init?(_ wsi: OpaquePointer, address: String) {
        var start: UnsafeMutablePointer<CChar>?
        var count: Int32 = 0
        let method = lws_http_get_uri_and_method(wsi, &start, &count)
        guard method >= 0, let start else { return nil }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(count))
        self.init(method: Self.methods[method] ?? .other, path: String(decoding: bytes, as: UTF8.self))
        self.address = address
        host = Self.field(wsi, WSI_TOKEN_HOST)
        origin = Self.field(wsi, WSI_TOKEN_ORIGIN)
        authorization = Self.field(wsi, WSI_TOKEN_HTTP_AUTHORIZATION)
        contentType = Self.field(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE)
        ifNoneMatch = Self.field(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH)
        lastEventID = Self.field(wsi, unknown: "last-event-id:")
        subprotocols = (Self.field(wsi, WSI_TOKEN_PROTOCOL) ?? "").split(separator: ",").map { name in
            String(name.drop { $0 == " " }.prefix { $0 != " " })
        }
        for index in 0..<Self.queryLimit {
            guard let pair = Self.fragment(wsi, WSI_TOKEN_HTTP_URI_ARGS, Int32(index)) else { break }
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
    }

    /// POST, PUT and PATCH always have one, if only of no bytes.
    static func hasBody(_ wsi: OpaquePointer) -> Bool {
        [WSI_TOKEN_POST_URI, WSI_TOKEN_PUT_URI, WSI_TOKEN_PATCH_URI, WSI_TOKEN_HTTP_CONTENT_LENGTH].contains {
            lws_hdr_total_length(wsi, $0) > 0
        }
    }

    static func bodyByteCount(_ wsi: OpaquePointer) -> Int? {
        // Digits only: what others read as another length is none.
        guard let text = field(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }

    static func hasTransferCoding(_ wsi: OpaquePointer) -> Bool {
        lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0
    }

    static func field(_ wsi: OpaquePointer, _ token: lws_token_indexes) -> String? {
        let count = Int(lws_hdr_total_length(wsi, token))
        guard count > 0 else { return nil }
        return text(capacity: count + 1) { lws_hdr_copy(wsi, $0, Int32(count + 1), token) }
    }

    /// One that the library has no number for.
    private static func field(_ wsi: OpaquePointer, unknown name: String) -> String? {
        let nameCount = Int32(name.utf8.count)
        let count = Int(lws_hdr_custom_length(wsi, name, nameCount))
        guard count > 0 else { return nil }
        return text(capacity: count + 1) { lws_hdr_custom_copy(wsi, $0, Int32(count + 1), name, nameCount) }
    }

    private static func fragment(_ wsi: OpaquePointer, _ token: lws_token_indexes, _ index: Int32) -> String? {
        let count = Int(lws_hdr_fragment_length(wsi, token, index))
        guard count > 0 else { return nil }
        return text(capacity: count + 1) { lws_hdr_copy_fragment(wsi, $0, Int32(count + 1), token, index) }
    }

    private static func text(capacity: Int, _ copy: (UnsafeMutablePointer<CChar>) -> Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            let count = copy(buffer.baseAddress!)
            guard count >= 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: buffer.baseAddress, count: Int(count)), as: UTF8.self)
        }
    }
}
