internal import CWebSockets
private import Glibc

/// What the library keeps pointers into for as long as its context lives.
final class Library {
    private var texts: [UnsafeMutablePointer<CChar>] = []
    private let protocols: UnsafeMutablePointer<lws_protocols>
    private let mounts: UnsafeMutablePointer<lws_http_mount>
    private let mountCount: Int
    private let headers: UnsafeMutablePointer<lws_protocol_vhost_options>
    private let headerCount: Int
    private let types: UnsafeMutablePointer<lws_protocol_vhost_options>
    private let policy: UnsafeMutablePointer<lws_retry_bo_t>
    private let serverName: UnsafePointer<CChar>
    private let applicationProtocol: UnsafePointer<CChar>
    private let limits: WebServerLimits

    private static let httpName = "http"
    /// The library copies buffers that are longer than this; we write none at once.
    private static let packetByteCount = 1 << 20
    /// Tokens of other issuers are some kilobytes long. Held while a head is read only.
    private static let headByteCount: UInt16 = 12 * 1024
    /// Each idle connection holds a buffer of this size.
    private static let receiveByteCount = 512

    init(_ routes: Routes, _ limits: WebServerLimits) {
        self.limits = limits
        var texts: [UnsafeMutablePointer<CChar>] = []
        func keep(_ text: String) -> UnsafePointer<CChar> {
            let copy = strdup(text)!
            texts.append(copy)
            return UnsafePointer(copy)
        }
        // The first serves HTTP, and WebSockets without a subprotocol.
        let names = [Self.httpName] + Set(routes.webSockets.flatMap(\.subprotocols)).sorted()
        protocols = .allocate(capacity: names.count + 1)
        protocols.initialize(repeating: lws_protocols(), count: names.count + 1)
        for (index, name) in names.enumerated() {
            protocols[index].name = keep(name)
            protocols[index].callback = millrace_web_callback
            protocols[index].per_session_data_size = MemoryLayout<UnsafeRawPointer>.size
            protocols[index].rx_buffer_size = Self.receiveByteCount
            protocols[index].tx_packet_size = Self.packetByteCount
        }
        // Types that the library doesn't know by itself.
        types = .allocate(capacity: 2)
        types.initialize(repeating: lws_protocol_vhost_options(), count: 2)
        for (index, (suffix, type)) in [(".geojson", "application/geo+json"), (".map", "application/json")].enumerated()
        {
            types[index].name = keep(suffix)
            types[index].value = keep(type)
            types[index].next = index == 0 ? UnsafePointer(types + 1) : nil
        }
        // Answers come before files, which may be mounted at the root.
        let answers = Set(routes.routes.compactMap { $0.pieces.first } + routes.webSockets.map { $0.path.dropFirst() })
        let places: [(path: String, mount: Routes.Mount?)] =
            answers.filter { !$0.isEmpty }.sorted().map { ("/" + $0, nil) } + routes.mounts.map { ($0.path, $0) }
        mountCount = places.count
        mounts = .allocate(capacity: max(1, places.count))
        mounts.initialize(repeating: lws_http_mount(), count: max(1, places.count))
        for (index, place) in places.enumerated() {
            mounts[index].mount_next = index + 1 < places.count ? UnsafePointer(mounts + index + 1) : nil
            mounts[index].mountpoint = keep(place.path)
            mounts[index].mountpoint_len = UInt8(clamping: place.path.utf8.count)
            mounts[index].origin = keep(place.mount?.folder ?? Self.httpName)
            mounts[index].origin_protocol = UInt8((place.mount == nil ? LWSMPRO_CALLBACK : LWSMPRO_FILE).rawValue)
            guard let mount = place.mount else { continue }
            mounts[index].def = keep("index.html")
            mounts[index].extra_mimetypes = UnsafePointer(types)
            mounts[index].cache_max_age = mount.maxAgeSeconds
            mounts[index].cache_reusable = 1
            mounts[index].cache_revalidate = 1
        }
        let fields = routes.headers.sorted { $0.key < $1.key }
        headerCount = fields.count
        headers = .allocate(capacity: max(1, fields.count))
        headers.initialize(repeating: lws_protocol_vhost_options(), count: max(1, fields.count))
        for (index, field) in fields.enumerated() {
            headers[index].name = keep(field.key + ":")
            headers[index].value = keep(field.value)
            headers[index].next = index + 1 < fields.count ? UnsafePointer(headers + index + 1) : nil
        }
        // The server asks for signs of life by itself: the library's timers are a list that each pong walks.
        policy = .allocate(capacity: 1)
        policy.initialize(to: lws_retry_bo_t())
        serverName = keep("millrace")
        applicationProtocol = keep("http/1.1")
        self.texts = texts
    }

    deinit {
        for text in texts { free(text) }
        protocols.deallocate()
        mounts.deallocate()
        headers.deallocate()
        types.deallocate()
        policy.deallocate()
    }

    /// Makes the library's context; nil when it can't.
    func makeContext(_ loop: OpaquePointer, _ tls: TLSFiles?) -> OpaquePointer? {
        lws_set_log_level(Int32(LLL_ERR), Self.log)
        var info = lws_context_creation_info()
        info.port = millrace_web_no_listener
        info.protocols = UnsafePointer(protocols)
        info.options = millrace_web_options
        info.retry_and_idle_policy = UnsafePointer(policy)
        info.timeout_secs = UInt32(limits.idleSeconds)
        info.keepalive_timeout = Int32(limits.idleSeconds)
        info.timeout_secs_ah_idle = UInt32(limits.idleSeconds)
        if mountCount > 0 { info.mounts = UnsafePointer(mounts) }
        if headerCount > 0 { info.headers = UnsafePointer(headers) }
        info.server_string = serverName
        info.max_http_header_data = Self.headByteCount
        info.alpn = applicationProtocol
        guard let tls else { return millrace_web_context(loop, &info) }
        info.options |= millrace_web_tls_option
        // Copied by the library.
        return tls.certificate.withCString { certificate in
            tls.key.withCString { key in
                info.ssl_cert_filepath = certificate
                info.ssl_private_key_filepath = key
                return millrace_web_context(loop, &info)
            }
        }
    }

    /// Drops the library's log lines: they tell what clients do wrong, and clients are answered.
    private static let log: @convention(c) (Int32, UnsafePointer<CChar>?) -> Void = { _, _ in }
}
