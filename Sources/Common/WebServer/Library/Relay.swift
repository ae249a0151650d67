internal import CWebSockets

/// Between the library's callbacks, which know no types, and the server. All on the server's thread.
final class Relay {
    /// Nil while it is taken down.
    unowned(unsafe) var server: WebServer?
    /// What is called when a watched descriptor is readable, by descriptor.
    var watchers: [Int32: () -> Void] = [:]

    private static func of(_ owner: UnsafeMutableRawPointer?) -> Relay? {
        owner.map { Unmanaged<Relay>.fromOpaque($0).takeUnretainedValue() }
    }

    static let accepted: @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?) -> Void = {
        owner, descriptor, address in
        of(owner)?.server?.accepted(descriptor, address.map { String(cString: $0) } ?? "")
    }

    static let readable: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void = { of($0)?.watchers[$1]?() }

    static let unmasked: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void = { owner, wsi in
        guard let wsi else { return }
        of(owner)?.server?.connections[wsi]?.close(1002, "clients mask their frames")
    }

    /// Passes a callback of the library on. Its result is the library's: nonzero ends the connection.
    static let told:
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?, lws_callback_reasons, UnsafeMutableRawPointer?,
            UnsafeMutableRawPointer?, Int
        ) -> Int32 = { owner, wsi, reason, user, bytes, count in
            guard let wsi, let server = of(owner)?.server else { return 0 }
            let slot = user?.assumingMemoryBound(to: Unmanaged<ClientConnection>?.self)
            switch reason {
            case LWS_CALLBACK_SERVER_WRITEABLE:
                guard let connection = slot?.pointee?._withUnsafeGuaranteedRef({ $0 }) else { return -1 }
                return server.write(connection) ? 0 : -1
            case LWS_CALLBACK_RECEIVE:
                guard let connection = slot?.pointee?.takeUnretainedValue() else { return -1 }
                server.receive(UnsafeRawBufferPointer(start: bytes, count: count), connection)
                return 0
            case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
                return server.ends(wsi, UnsafeRawBufferPointer(start: bytes, count: count)) ? 0 : -1
            case LWS_CALLBACK_RECEIVE_PONG:
                slot?.pointee?.takeUnretainedValue().heardAt = .now
                return 0
            case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
                return server.confirmUpgrade(
                    wsi, to: bytes.map { String(cString: $0.assumingMemoryBound(to: CChar.self)) })
            case LWS_CALLBACK_ESTABLISHED:
                guard let connection = server.open(wsi) else { return -1 }
                slot?.pointee = Unmanaged.passRetained(connection)
                connection.handler.opened(connection)
                return 0
            case LWS_CALLBACK_CLOSED:
                guard let held = slot?.pointee else { return 0 }
                slot?.pointee = nil
                server.closed(held.takeRetainedValue())
                return 0
            case LWS_CALLBACK_HTTP: return server.requested(wsi)
            case LWS_CALLBACK_HTTP_BODY:
                server.receiveBody(UnsafeRawBufferPointer(start: bytes, count: count), wsi)
                return 0
            case LWS_CALLBACK_HTTP_BODY_COMPLETION: return server.completed(wsi)
            case LWS_CALLBACK_HTTP_WRITEABLE:
                guard let connection = server.connections[wsi] else { return server.writeAnswer(wsi) }
                return server.write(connection) ? 0 : -1
            case LWS_CALLBACK_CLOSED_HTTP:
                server.dropExchange(of: wsi)
                server.endEvents(of: wsi)
                return 0
            case LWS_CALLBACK_WSI_DESTROY:
                server.destroyed(wsi)
                return 0
            default: return 0
            }
        }
}
