internal import CWebSockets

extension WebServer {
    /// Zero: the library goes on. Negative: it is hung up on, and was answered before.
    func confirmUpgrade(_ wsi: OpaquePointer, to name: String?) -> Int32 {
        guard let request = HTTPRequest(wsi, address: addresses[wsi] ?? "") else { return -1 }
        guard name?.lowercased() == "websocket" else {
            return refuse(wsi, .text(400, "this server speaks HTTP/1.1 and WebSocket\n"))
        }
        // The library takes any version, and says nothing to who has no key (RFC 6455, section 4.2).
        guard HTTPRequest.field(wsi, WSI_TOKEN_VERSION) == "13" else {
            return refuse(
                wsi, .text(426, "this server speaks version 13\n", headers: ["sec-websocket-version": "13"]))
        }
        guard request.method == .get, request.host != nil, let key = HTTPRequest.field(wsi, WSI_TOKEN_KEY),
            key.utf8.count == 24
        else {
            return refuse(
                wsi, .text(400, "a WebSocket is opened by GET, with a Host and a Sec-WebSocket-Key of 16 bytes\n"))
        }
        guard !HTTPRequest.hasTransferCoding(wsi) else {
            return refuse(wsi, .text(501, "no transfer coding is taken\n"))
        }
        guard !isFull else {
            refusedConnections += 1
            return refuse(wsi, .tooManyConnections)
        }
        switch routes.upgrade(request) {
        case .failure(let refusal): return refuse(wsi, refusal.response)
        case .success((let route, let subprotocol)):
            upgrades[wsi] = ClientConnection(wsi, request, .webSocket, subprotocol, route.handler, clock)
            return 0
        }
    }

    /// By hand: the library has not looked yet which version of HTTP the client speaks, and would answer in 1.0, which
    /// WebSocket clients refuse to read. It ends the connection, which the library would keep for the next request.
    private func refuse(_ wsi: OpaquePointer, _ response: HTTPResponse) -> Int32 {
        var head = "HTTP/1.1 \(response.status) Refused\r\ncontent-type: \(response.contentType)\r\n"
        for (name, value) in response.headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
        head += "content-length: \(response.body.count)\r\nconnection: close\r\n\r\n"
        let bytes = Array(head.utf8) + response.body
        _ = bytes.withUnsafeBufferPointer { bytes in
            lws_write(
                wsi, UnsafeMutablePointer(mutating: bytes.baseAddress!), bytes.count,
                lws_write_protocol(rawValue: UInt32(millrace_web_raw)))
        }
        return -1
    }

    func open(_ wsi: OpaquePointer) -> ClientConnection? {
        guard let connection = upgrades.removeValue(forKey: wsi) else { return nil }
        connections[wsi] = connection
        return connection
    }

    func closed(_ connection: ClientConnection) {
        if let wsi = connection.wsi { connections[wsi] = nil }
        forgetMessage(of: connection)
        connection.handler.closed(connection)
        connection.ended()
    }

    func receive(_ bytes: UnsafeRawBufferPointer, _ connection: ClientConnection) {
        connection.heardAt = .now
        guard connection.closing == nil, let wsi = connection.wsi else { return }
        let isBinary = lws_frame_is_binary(wsi) != 0
        guard !isBinary || connection.handler.takesBinary else { return connection.close(1003, "text messages only") }
        guard connection.incoming.count + bytes.count <= limits.messageByteCount else {
            forgetMessage(of: connection)
            return connection.close(1009, "a message has at most \(limits.messageByteCount) bytes")
        }
        guard lws_is_final_fragment(wsi) != 0 else {
            guard messagesByteCount + bytes.count <= limits.messagesByteCount else {
                forgetMessage(of: connection)
                return connection.close(1013, "too much is being sent to this server")
            }
            connection.incoming += bytes
            messagesByteCount += bytes.count
            return
        }
        let message = connection.incoming + bytes
        forgetMessage(of: connection)
        if isBinary {
            connection.handler.received(binary: message, from: connection)
        } else if String(validating: message, as: UTF8.self) != nil {
            // Not by the library: it would look at pongs too, and not at the end of a message whose last frame is empty.
            connection.handler.received(message, from: connection)
        } else {
            connection.close(1007, "text is UTF-8")
        }
    }

    private func forgetMessage(of connection: ClientConnection) {
        messagesByteCount -= connection.incoming.count
        connection.incoming = []
    }

    /// The client closes, with a code and a reason, or neither (RFC 6455, section 5.5.1). False: what it says is wrong.
    func ends(_ wsi: OpaquePointer, _ payload: UnsafeRawBufferPointer) -> Bool {
        if payload.count == 1 {
            say(1002, "a close has a code of two bytes", wsi)
            return false
        }
        guard String(validating: payload.dropFirst(2), as: UTF8.self) != nil else {
            say(1007, "text is UTF-8", wsi)
            return false
        }
        return true
    }

    private static let reasonByteLimit = 123

    /// The reason as far as a control frame takes it, and no part of a character (RFC 6455, section 5.5).
    private func say(_ code: UInt16, _ reason: String, _ wsi: OpaquePointer) {
        var text = Array(reason.utf8)
        var end = min(text.count, Self.reasonByteLimit)
        while end > 0, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
        lws_close_reason(wsi, lws_close_status(rawValue: UInt32(code)), &text, end)
    }

    /// False ends the connection.
    func write(_ connection: ClientConnection) -> Bool {
        connection.becameWritable()
        if let rest = connection.rest {
            // What was before it was taken: so somebody is there.
            connection.heardAt = .now
            guard write(rest, connection) else { return false }
            connection.requestWrite()
            return true
        }
        if connection.needsPing {
            connection.pinged()
            guard write(FrameBuffer.ping.bytes[...], connection) else { return false }
            connection.requestWrite()
            return true
        }
        if let (bytes, hasMore) = nextBytes(connection) {
            guard write(bytes, connection) else { return false }
            if hasMore || connection.closing != nil { connection.requestWrite() }
            return true
        }
        guard let (code, reason) = connection.closing, let wsi = connection.wsi else { return true }
        guard connection.framing == .webSocket else { return false }
        say(code, reason, wsi)
        return false
    }

    /// The handler's next frames. Whoever is behind gets many small ones at once: a system call costs more than their copies.
    private func nextBytes(_ connection: ClientConnection) -> (ArraySlice<UInt8>, hasMore: Bool)? {
        guard var next = connection.handler.nextFrames(for: connection) else { return nil }
        guard next.hasMore, next.frames.bytes.count < Self.joinedByteCount, connection.framing == .webSocket else {
            return (next.frames.bytes[...], next.hasMore)
        }
        var joined: [UInt8] = []
        joined.reserveCapacity(2 * Self.joinedByteCount)
        joined += next.frames.bytes
        while next.hasMore, joined.count < Self.joinedByteCount {
            guard let more = connection.handler.nextFrames(for: connection) else {
                next.hasMore = false
                break
            }
            next = more
            joined += next.frames.bytes
        }
        return (joined[...], next.hasMore)
    }

    private static let joinedByteCount = 16 * 1024

    /// A buffer that many connections share is copied for none of them.
    private func write(_ bytes: ArraySlice<UInt8>, _ connection: ClientConnection) -> Bool {
        guard connection.framing == .webSocket else { return writeEvents(bytes, connection) }
        guard let wsi = connection.wsi else { return false }
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBufferPointer { millrace_web_send(wsi, $0.baseAddress!, $0.count) }
            guard count >= 0 else { return false }
            rest = rest.dropFirst(count)
            // Of what is encrypted a piece was taken, and another may be.
            guard count > 0, tls != nil else { break }
        }
        let wasWaiting = connection.rest != nil
        connection.rest = rest.isEmpty ? nil : rest
        // A frame may be cut there, where the library would put the answer to a ping or a close: so none is read until its end.
        if wasWaiting != (connection.rest != nil) { lws_rx_flow_control(wsi, wasWaiting ? 1 : 0) }
        if connection.rest != nil { connection.requestWrite() }
        return true
    }

    /// What the library is given of events at once: it copies what the kernel doesn't take, and asks again when that is written.
    private static let pieceByteCount = 64 * 1024

    private func writeEvents(_ bytes: ArraySlice<UInt8>, _ connection: ClientConnection) -> Bool {
        guard let wsi = connection.wsi else { return false }
        var rest = bytes
        while !rest.isEmpty, lws_partial_buffered(wsi) == 0 {
            let piece = rest.prefix(Self.pieceByteCount)
            let isWritten = piece.withUnsafeBufferPointer { piece in
                lws_write(
                    wsi, UnsafeMutablePointer(mutating: piece.baseAddress!), piece.count,
                    lws_write_protocol(rawValue: UInt32(millrace_web_raw))) >= 0
            }
            guard isWritten else { return false }
            rest = rest.dropFirst(piece.count)
        }
        connection.rest = rest.isEmpty ? nil : rest
        if connection.rest != nil { connection.requestWrite() }
        return true
    }
}
