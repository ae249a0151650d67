private import CWebSockets
private import Glibc

/// A WebSocket server on one thread (RFC 6455), by libwebsockets. Made, run and destroyed there.
package final class WebSocketServer {
    package struct Limits: Sendable {
        /// Of a client's message; a longer one ends its connection with 1009.
        package var messageByteCount = 64 * 1024
        /// A connection that has been silent for so long is asked for a sign of life, and ended without one.
        package var pingSeconds: UInt16 = 25

        package init() {}
    }

    /// With the port that was picked.
    package let port: UInt16
    private let path: String
    private let limits: Limits
    private let context: OpaquePointer
    private let protocols: UnsafeMutablePointer<lws_protocols>
    private let name: UnsafeMutablePointer<CChar>
    private let policy: UnsafeMutablePointer<lws_retry_bo_t>
    private let timer: UnsafeMutablePointer<millrace_ws_timer>
    private var handler: (any WebSocketHandler)?

    /// Listens; nothing is served until `run`.
    /// - Parameters:
    ///   - host: an address of this machine, or an interface's name.
    ///   - port: 0 lets the kernel pick.
    ///   - path: where to upgrade; `subprotocol`: what a client has to ask for.
    package init(host: String, port: UInt16, path: String, subprotocol: String, limits: Limits = Limits())
        throws(WebSocketError)
    {
        self.path = path
        self.limits = limits
        let name = strdup(subprotocol)!
        let http = strdup("http")!
        protocols = .allocate(capacity: 3)
        protocols.initialize(repeating: lws_protocols(), count: 3)
        protocols[0].name = UnsafePointer(http)
        protocols[0].callback = Self.callback
        protocols[1].name = UnsafePointer(name)
        protocols[1].callback = Self.callback
        protocols[1].per_session_data_size = MemoryLayout<UnsafeRawPointer>.size
        self.name = name
        policy = .allocate(capacity: 1)
        policy.initialize(to: lws_retry_bo_t())
        policy.pointee.secs_since_valid_ping = limits.pingSeconds
        policy.pointee.secs_since_valid_hangup = limits.pingSeconds * 2
        timer = .allocate(capacity: 1)
        timer.initialize(to: millrace_ws_timer())
        lws_set_log_level(Int32(LLL_ERR), nil)
        var info = lws_context_creation_info()
        info.port = Int32(port)
        info.protocols = UnsafePointer(protocols)
        info.options = millrace_ws_options
        info.user = UnsafeMutableRawPointer(timer)
        info.retry_and_idle_policy = UnsafePointer(policy)
        let made = host.withCString { host in
            info.iface = host
            return lws_create_context(&info)
        }
        guard let made else {
            throw WebSocketError(
                description: "can't listen on \(host):\(port): is the port taken, or the host not here?")
        }
        context = made
        self.port = UInt16(clamping: lws_get_vhost_listen_port(lws_get_vhost_by_name(made, "default")))
    }

    deinit {
        lws_context_destroy(context)
        free(name)
        free(UnsafeMutablePointer(mutating: protocols[0].name))
        protocols.deallocate()
        policy.deallocate()
        timer.deallocate()
    }

    package var waker: ServerWaker { ServerWaker(context) }

    /// Serves until `isFinished`, which is asked after each turn; then ends what connections are left.
    package func run(_ handler: any WebSocketHandler, until isFinished: () -> Bool) {
        self.handler = handler
        timer.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
        scheduleTick()
        while !isFinished(), lws_service(context, 0) >= 0 {}
        lws_sul_cancel(&timer.pointee.scheduled)
        timer.pointee.owner = nil
        self.handler = nil
    }

    private func scheduleTick() {
        lws_sul_schedule(context, 0, &timer.pointee.scheduled, Self.tick, 1_000_000)
    }

    private static let tick: sul_cb_t = { scheduled in
        // The timer begins with what is scheduled.
        let timer = UnsafeMutableRawPointer(scheduled!).assumingMemoryBound(to: millrace_ws_timer.self)
        guard let server = server(timer) else { return }
        server.handler?.ticked()
        server.scheduleTick()
    }

    private static func server(_ timer: UnsafeMutablePointer<millrace_ws_timer>) -> WebSocketServer? {
        timer.pointee.owner.map { Unmanaged<WebSocketServer>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: The library's callback

    private static let callback:
        @convention(c) (
            OpaquePointer?, lws_callback_reasons, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int
        ) -> Int32 = { wsi, reason, user, bytes, count in
            guard let wsi, let timer = lws_context_user(lws_get_context(wsi)),
                let server = server(timer.assumingMemoryBound(to: millrace_ws_timer.self)), let handler = server.handler
            else { return lws_callback_http_dummy(wsi, reason, user, bytes, count) }
            let slot = user?.assumingMemoryBound(to: Unmanaged<WebSocketConnection>?.self)
            switch reason {
            case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return server.refuses(wsi, handler) ? 1 : 0
            case LWS_CALLBACK_ESTABLISHED:
                let connection = WebSocketConnection(wsi)
                slot?.pointee = Unmanaged.passRetained(connection)
                handler.opened(connection)
                return 0
            case LWS_CALLBACK_RECEIVE:
                if let connection = slot?.pointee?.takeUnretainedValue() {
                    server.receive(UnsafeRawBufferPointer(start: bytes, count: count), connection, handler)
                }
                return 0
            case LWS_CALLBACK_SERVER_WRITEABLE:
                guard let connection = slot?.pointee?.takeUnretainedValue() else { return -1 }
                return server.write(connection, handler) ? 0 : -1
            case LWS_CALLBACK_CLOSED:
                guard let held = slot?.pointee else { return 0 }
                slot?.pointee = nil
                handler.closed(held.takeUnretainedValue())
                held.release()
                return 0
            case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
                // Each protocol is told: once is enough.
                if lws_get_protocol(wsi)?.pointee.name == server.protocols[0].name { handler.woken() }
                return 0
            case LWS_CALLBACK_HTTP:
                let path = bytes.map { String(cString: $0.assumingMemoryBound(to: CChar.self)) } ?? "/"
                let (status, body) = handler.answer(path) ?? (404, "there is nothing at \(path.prefix(100))\n")
                let content = Array(body.utf8)
                return millrace_ws_respond(wsi, status, "text/plain; charset=utf-8", content, content.count)
            default: return lws_callback_http_dummy(wsi, reason, user, bytes, count)
            }
        }

    /// Elsewhere than on our path, without our subprotocol, or one too many.
    private func refuses(_ wsi: OpaquePointer, _ handler: any WebSocketHandler) -> Bool {
        var target = [CChar](repeating: 0, count: 256)
        let count = lws_hdr_copy(wsi, &target, Int32(target.count), WSI_TOKEN_GET_URI)
        let given =
            count > 0 ? String(decoding: target[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        let isOurs = lws_get_protocol(wsi)?.pointee.name == protocols[1].name
        return given != path || !isOurs || !handler.mayOpen()
    }

    private func receive(
        _ bytes: UnsafeRawBufferPointer, _ connection: WebSocketConnection, _ handler: any WebSocketHandler
    ) {
        guard connection.closing == nil else { return }
        guard lws_frame_is_binary(connection.wsi) == 0 else { return connection.close(1003, "text messages only") }
        guard connection.incoming.count + bytes.count <= limits.messageByteCount else {
            connection.incoming = []
            return connection.close(1009, "a message has at most \(limits.messageByteCount) bytes")
        }
        connection.incoming += bytes
        guard lws_is_final_fragment(connection.wsi) != 0 else { return }
        let text = connection.incoming
        connection.incoming = []
        handler.received(text, from: connection)
    }

    /// One message a turn: whether it takes a second one only the next turn knows. False ends the connection.
    private func write(_ connection: WebSocketConnection, _ handler: any WebSocketHandler) -> Bool {
        connection.becameWritable()
        if let frame = handler.nextFrame(for: connection) {
            let text = frame.buffer.baseAddress!.advanced(by: Int(millrace_ws_headroom))
                .assumingMemoryBound(to: UInt8.self)
            // What the kernel doesn't take is copied, and written before anything else is asked for.
            guard lws_write(connection.wsi, text, frame.byteCount, LWS_WRITE_TEXT) >= 0 else { return false }
            if connection.closing != nil { connection.requestWrite() }
            return true
        }
        guard let (code, reason) = connection.closing else { return true }
        var text = Array(reason.utf8.prefix(120))
        lws_close_reason(connection.wsi, lws_close_status(rawValue: UInt32(code)), &text, text.count)
        return false
    }
}
