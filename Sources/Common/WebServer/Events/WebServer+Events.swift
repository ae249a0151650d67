private import CLinux
internal import CWebSockets
private import Glibc

extension WebServer {
    /// Writes the head of a stream of events; from here on its handler has the connection. False ends it.
    func open(_ opening: EventsOpening, of request: HTTPRequest, _ wsi: OpaquePointer) -> Bool {
        var head = HTTPResponse(200, contentType: "text/event-stream", body: [], headers: opening.headers)
        head.headers["cache-control"] = "no-store"
        // nginx would collect them (ngx_http_proxy_module, proxy_buffering).
        head.headers["x-accel-buffering"] = "no"
        let isHead = request.method == .head
        guard write(head, to: wsi, isHead: isHead, isOpen: true), !isHead else { return false }
        lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0)
        endWhenUnheard(wsi)
        let connection = ClientConnection(wsi, request, .events, nil, opening.handler, clock)
        connections[wsi] = connection
        opening.opened(connection)
        return true
    }

    /// A client of events says nothing: that it has vanished shows by what it does not acknowledge (tcp(7)).
    private func endWhenUnheard(_ wsi: OpaquePointer) {
        var milliseconds = UInt32(limits.pingSeconds * 2 * 1000)
        // Where it can't be set, the kernel's own patience counts.
        setsockopt(
            lws_get_socket_fd(wsi), Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds,
            socklen_t(MemoryLayout<UInt32>.size))
    }

    func endEvents(of wsi: OpaquePointer) {
        guard let connection = connections[wsi], connection.framing == .events else { return }
        closed(connection)
    }
}
