internal import CWebSockets

extension WebServer {
    /// Zero: the library goes on. One: it was answered otherwise. Negative: it is hung up on.
    func confirmUpgrade(_ wsi: OpaquePointer, to name: String?) -> Int32 {
        guard let request = HTTPRequest(wsi, address: addresses[wsi] ?? "") else { return -1 }
        guard name?.lowercased() == "websocket" else {
            return refuse(wsi, .text(400, "this server speaks HTTP/1.1 and WebSocket\n"))
        }
        switch routes.upgrade(request) {
        case .failure(let refusal): return refuse(wsi, refusal.response)
        case .success((let route, let subprotocol)):
            upgrades[wsi] = ClientConnection(wsi, request, .webSocket, subprotocol, route.handler)
            return 0
        }
    }

    /// By hand: the library has not looked yet which version of HTTP the client speaks, and would answer in 1.0, which
    /// WebSocket clients refuse to read.
    private func refuse(_ wsi: OpaquePointer, _ response: HTTPResponse) -> Int32 {
        var head = "HTTP/1.1 \(response.status) Refused\r\ncontent-type: \(response.contentType)\r\n"
        for (name, value) in response.headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
        head += "content-length: \(response.body.count)\r\nconnection: close\r\n\r\n"
        let bytes = Array(head.utf8) + response.body
        let isWritten = bytes.withUnsafeBufferPointer { bytes in
            lws_write(
                wsi, UnsafeMutablePointer(mutating: bytes.baseAddress!), bytes.count,
                lws_write_protocol(rawValue: UInt32(millrace_web_raw))) >= 0
        }
        return isWritten ? 1 : -1
    }

    func open(_ wsi: OpaquePointer) -> ClientConnection? {
        guard let connection = upgrades.removeValue(forKey: wsi) else { return nil }
        connections[wsi] = connection
        return connection
    }

    func closed(_ connection: ClientConnection) {
        if let wsi = connection.wsi { connections[wsi] = nil }
        connection.handler.closed(connection)
        connection.ended()
    }

    func receive(_ bytes: UnsafeRawBufferPointer, _ connection: ClientConnection) {
        connection.heardAt = .now
        guard connection.closing == nil, let wsi = connection.wsi else { return }
        guard lws_frame_is_binary(wsi) == 0 else { return connection.close(1003, "text messages only") }
        guard connection.incoming.count + bytes.count <= limits.messageByteCount else {
            connection.incoming = []
            return connection.close(1009, "a message has at most \(limits.messageByteCount) bytes")
        }
        connection.incoming += bytes
        guard lws_is_final_fragment(wsi) != 0 else { return }
        let text = connection.incoming
        connection.incoming = []
        connection.handler.received(text, from: connection)
    }

    /// One system call a turn: whether it takes more only the next turn knows. False ends the connection.
    func write(_ connection: ClientConnection) -> Bool {
        connection.becameWritable()
        if connection.needsPing {
            connection.pinged()
            guard write(.ping, connection) else { return false }
            connection.requestWrite()
            return true
        }
        if let frames = connection.handler.nextFrames(for: connection) {
            guard write(frames, connection) else { return false }
            if connection.closing != nil { connection.requestWrite() }
            return true
        }
        guard let (code, reason) = connection.closing, let wsi = connection.wsi else { return true }
        guard connection.framing == .webSocket else { return false }
        var text = Array(reason.utf8.prefix(120))
        lws_close_reason(wsi, lws_close_status(rawValue: UInt32(code)), &text, text.count)
        return false
    }

    /// What the kernel doesn't take the library copies, and writes before it asks for anything else.
    private func write(_ frames: FrameBuffer, _ connection: ClientConnection) -> Bool {
        guard let wsi = connection.wsi else { return false }
        return frames.bytes.withUnsafeBufferPointer { bytes in
            // Complete frames of a server are not changed by writing them.
            let start = UnsafeMutablePointer(mutating: bytes.baseAddress!)
            return lws_write(
                wsi, start, bytes.count, lws_write_protocol(rawValue: UInt32(millrace_web_raw))) >= 0
        }
    }
}
