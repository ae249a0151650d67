internal import CWebSockets

extension WebServer {
    /// Takes a request whose head is there. Its result is a callback's: nonzero ends the connection.
    func requested(_ wsi: OpaquePointer) -> Int32 {
        guard let request = HTTPRequest(wsi, address: addresses[wsi] ?? "") else { return 1 }
        let exchange: HTTPExchange
        switch routes.match(request) {
        case .found(let found): exchange = found
        case .refused(let response):
            exchange = HTTPExchange(request, bodyLimit: 0) { $0.respond(response) }
            exchange.refusal = response
        }
        dropExchange(of: wsi)
        exchanges[wsi] = exchange
        // Whoever passes it on may see another end of the request than we do (RFC 9112, section 6.1).
        if HTTPRequest.hasTransferCoding(wsi) {
            exchange.refusal = .text(501, "say how long the body is (Content-Length); no transfer coding is taken\n")
            return hangUp(exchange, wsi)
        }
        guard HTTPRequest.hasBody(wsi) else { return answer(exchange, wsi) }
        guard let byteCount = HTTPRequest.bodyByteCount(wsi) else {
            if exchange.refusal == nil {
                exchange.refusal = .text(411, "say how long the body is (Content-Length)\n")
            }
            return hangUp(exchange, wsi)
        }
        if exchange.refusal == nil, byteCount > exchange.bodyLimit {
            exchange.refusal = .text(413, "a body has at most \(exchange.bodyLimit) bytes here\n")
        }
        // What will be refused is read to its end, if that is near, so that the answer is heard.
        if exchange.refusal != nil, byteCount > limits.bodyByteCount { return hangUp(exchange, wsi) }
        guard byteCount > 0 else { return answer(exchange, wsi) }
        exchange.bodyDeadline = .now + .seconds(limits.bodySeconds)
        return 0
    }

    /// Answers and ends the connection, whatever is still on its way.
    private func hangUp(_ exchange: HTTPExchange, _ wsi: OpaquePointer) -> Int32 {
        dropExchange(of: wsi)
        if let refusal = exchange.refusal { _ = write(refusal, to: wsi, isHead: false) }
        return -1
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer, _ wsi: OpaquePointer) {
        guard let exchange = exchanges[wsi], exchange.refusal == nil else { return }
        // What has come counts, not what was announced: that costs who announces nothing.
        guard bodiesByteCount + bytes.count <= limits.bodiesByteCount else {
            forgetBody(of: exchange)
            exchange.refusal = .text(503, "too much is being sent to this server\n", headers: ["retry-after": "1"])
            return
        }
        exchange.request.body += bytes
        exchange.reserved += bytes.count
        bodiesByteCount += bytes.count
    }

    private func forgetBody(of exchange: HTTPExchange) {
        exchange.forgetBody()
        bodiesByteCount -= exchange.reserved
        exchange.reserved = 0
    }

    /// Ends requests whose bodies take too long: by itself the library waits for as long as something comes.
    func endSlowBodies(at now: ContinuousClock.Instant) {
        for (wsi, exchange) in exchanges {
            guard let deadline = exchange.bodyDeadline, deadline < now else { continue }
            forgetBody(of: exchange)
            exchange.refusal = .text(408, "the body took longer than \(limits.bodySeconds) s\n")
            exchange.isOverdue = true
            lws_callback_on_writable(wsi)
        }
    }

    func completed(_ wsi: OpaquePointer) -> Int32 {
        guard let exchange = exchanges[wsi] else { return 0 }
        exchange.bodyDeadline = nil
        return answer(exchange, wsi)
    }

    /// Asks for the answer, and writes it if it comes at once.
    private func answer(_ exchange: HTTPExchange, _ wsi: OpaquePointer) -> Int32 {
        if let refusal = exchange.refusal { exchange.respond(refusal) } else { exchange.answer(exchange) }
        if exchange.isAnswered { return writeAnswer(wsi) }
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, limits.answerSeconds)
        // Before the answer's time has come the connection may have gone, and another may have its place in memory.
        exchange.answered = { lws_callback_on_writable(wsi) }
        return 0
    }

    func writeAnswer(_ wsi: OpaquePointer) -> Int32 {
        guard let exchange = exchanges[wsi] else { return 0 }
        if exchange.isOverdue { return hangUp(exchange, wsi) }
        guard exchange.isAnswered else { return 0 }
        if let events = exchange.events {
            dropExchange(of: wsi)
            guard !isFull else {
                refusedConnections += 1
                _ = write(.tooManyConnections, to: wsi, isHead: false)
                return -1
            }
            return open(events, of: exchange.request, wsi) ? 0 : -1
        }
        guard var response = exchange.response else { return -1 }
        // An unchanged one says how long it would be (RFC 9110, section 8.6).
        let isHead = exchange.request.method == .head || response.status == 304
        if response.body.count > Self.pieceByteCount, !isHead {
            let isFirst = exchange.sentCount == nil
            if !isFirst || answersByteCount + response.body.count <= limits.answersByteCount {
                return writePiece(response, of: exchange, wsi, isFirst: isFirst)
            }
            response = .text(503, "too much is waiting for who asked for it\n", headers: ["retry-after": "1"])
        }
        dropExchange(of: wsi)
        guard write(response, to: wsi, isHead: isHead) else { return -1 }
        return lws_http_transaction_completed(wsi) == 0 ? 0 : -1
    }

    /// What the library is given at once: it copies what the kernel does not take.
    private static let pieceByteCount = 256 * 1024

    /// A long answer goes as fast as it is taken, and is in memory once.
    private func writePiece(_ response: HTTPResponse, of exchange: HTTPExchange, _ wsi: OpaquePointer, isFirst: Bool)
        -> Int32
    {
        if isFirst {
            guard write(response, to: wsi, isHead: true) else { return -1 }
            answersByteCount += response.body.count
            exchange.sentCount = 0
        }
        let start = exchange.sentCount ?? 0
        let end = min(start + Self.pieceByteCount, response.body.count)
        guard lws_partial_buffered(wsi) == 0 else { return again(wsi) }
        let isWritten = response.body[start..<end].withUnsafeBufferPointer { piece in
            let kind = end == response.body.count ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP
            return lws_write(wsi, UnsafeMutablePointer(mutating: piece.baseAddress!), piece.count, kind) >= 0
        }
        guard isWritten else { return -1 }
        exchange.sentCount = end
        guard end == response.body.count else { return again(wsi) }
        dropExchange(of: wsi)
        return lws_http_transaction_completed(wsi) == 0 ? 0 : -1
    }

    private func again(_ wsi: OpaquePointer) -> Int32 {
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, limits.answerSeconds)
        lws_callback_on_writable(wsi)
        return 0
    }

    func dropExchange(of wsi: OpaquePointer) {
        guard let exchange = exchanges.removeValue(forKey: wsi) else { return }
        exchange.answered = nil
        exchange.isAbandoned = !exchange.isAnswered
        bodiesByteCount -= exchange.reserved
        exchange.reserved = 0
        if exchange.sentCount != nil { answersByteCount -= exchange.response?.body.count ?? 0 }
        exchange.sentCount = nil
    }

    /// What is more than enough for the fields that the library adds.
    private static let headByteCount = 8192
    /// LWS_ILLEGAL_HTTP_CONTENT_LEN, which Swift does not import.
    private static let unknownLength = lws_filepos_t.max

    /// False: the connection is of no more use.
    ///
    /// - Parameter isOpen: the body's length is not known, and ends with the connection (RFC 9112, section 6.3).
    func write(_ response: HTTPResponse, to wsi: OpaquePointer, isHead: Bool, isOpen: Bool = false) -> Bool {
        let fieldBytes = response.headers.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 4 }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.headByteCount + fieldBytes) { head in
            guard let start = head.baseAddress else { return false }
            var at: UnsafeMutablePointer<UInt8>? = start
            let end = start + head.count - 1
            guard
                lws_add_http_common_headers(
                    wsi, response.status, response.contentType,
                    isOpen ? Self.unknownLength : lws_filepos_t(response.body.count), &at, end) == 0
            else { return false }
            for (name, value) in response.headers.sorted(by: { $0.key < $1.key }) {
                let value = Array(value.utf8)
                guard lws_add_http_header_by_name(wsi, name + ":", value, Int32(value.count), &at, end) == 0 else {
                    return false
                }
            }
            guard lws_finalize_write_http_header(wsi, start, &at, end) == 0 else { return false }
            guard !isHead, !response.body.isEmpty else { return true }
            return response.body.withUnsafeBufferPointer { body in
                // HTTP/1.1 passes it on as it is.
                lws_write(
                    wsi, UnsafeMutablePointer(mutating: body.baseAddress!), body.count, LWS_WRITE_HTTP_FINAL) >= 0
            }
        }
    }
}
