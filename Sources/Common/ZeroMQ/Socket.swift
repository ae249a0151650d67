private import CZeroMQ
private import Glibc

/// A libzmq socket. Belongs to the thread that made it. Linger is zero: closing never waits.
package struct Socket: ~Copyable {
    package enum Kind: Sendable {
        case router, dealer, publisher, subscriber
        /// A publisher that receives what is subscribed to: a byte 1, or 0 when nobody is subscribed to it any more, and the
        /// topic (zmq_socket(3), ZMQ_XPUB).
        case watchingPublisher
    }

    let handle: UnsafeMutableRawPointer
    // The context must outlive its sockets.
    private let context: Context

    /// - Parameters:
    ///   - highWaterMark: messages a peer, in each direction. What lies above is dropped (publisher),
    ///     refused by `send` (dealer), or an error (router).
    ///   - messageByteLimit: larger messages end the peer's connection.
    package init(
        _ kind: Kind, in context: Context, highWaterMark: Int32 = 1000, messageByteLimit: Int64 = 16 * 1024 * 1024
    ) throws(ZeroMQError) {
        let type =
            switch kind {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .publisher: ZMQ_PUB
            case .watchingPublisher: ZMQ_XPUB
            case .subscriber: ZMQ_SUB
            }
        guard let handle = zmq_socket(context.handle, type) else { throw Self.lastError("socket") }
        do throws(ZeroMQError) {
            try Self.set(ZMQ_LINGER, Int32(0), on: handle)
            try Self.set(ZMQ_SNDHWM, highWaterMark, on: handle)
            try Self.set(ZMQ_RCVHWM, highWaterMark, on: handle)
            try Self.set(ZMQ_MAXMSGSIZE, messageByteLimit, on: handle)
            if kind == .router {
                // A message to a peer that is gone is an error, not silence.
                try Self.set(ZMQ_ROUTER_MANDATORY, Int32(1), on: handle)
                // A peer that comes back takes over its own identity.
                try Self.set(ZMQ_ROUTER_HANDOVER, Int32(1), on: handle)
            }
        } catch {
            zmq_close(handle)
            throw error
        }
        self.handle = handle
        self.context = context
    }

    deinit {
        zmq_close(handle)
    }

    /// `ipc://PATH` (at most 107 bytes of path) or `tcp://HOST:PORT`; a port `*` is picked by the kernel.
    package func bind(_ endpoint: String) throws(ZeroMQError) {
        try beatIfRemote(endpoint)
        guard zmq_bind(handle, endpoint) == 0 else { throw Self.lastError("bind \(endpoint)") }
    }

    package func connect(_ endpoint: String) throws(ZeroMQError) {
        try beatIfRemote(endpoint)
        guard zmq_connect(handle, endpoint) == 0 else { throw Self.lastError("connect \(endpoint)") }
    }

    /// Ends what was connected to, now or later; what waits from there is lost.
    package func disconnect(_ endpoint: String) throws(ZeroMQError) {
        guard zmq_disconnect(handle, endpoint) == 0 else { throw Self.lastError("disconnect \(endpoint)") }
    }

    /// libzmq's own heartbeats, where a peer can vanish without a word. Not on this machine: there the kernel tells,
    /// and a heartbeat that is due while a connection ends aborts the process (libzmq issue 4841: its timer calls
    /// `out_event`, which asserts that there was no error).
    private func beatIfRemote(_ endpoint: String) throws(ZeroMQError) {
        if endpoint.hasPrefix("tcp://") { try Self.set(ZMQ_HEARTBEAT_IVL, Int32(2000), on: handle) }
    }

    /// The endpoint that was bound last, with the port that was picked.
    package func lastEndpoint() throws(ZeroMQError) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        var size = buffer.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &buffer, &size) == 0 else { throw Self.lastError("endpoint") }
        return String(decoding: buffer[..<(size - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The name by which a router knows this dealer. Before connecting.
    package func setIdentity(_ identity: String) throws(ZeroMQError) {
        try setBytes(ZMQ_ROUTING_ID, Array(identity.utf8))
    }

    /// Empty: everything.
    package func subscribe(_ prefix: [UInt8]) throws(ZeroMQError) {
        try setBytes(ZMQ_SUBSCRIBE, prefix)
    }

    /// Without waiting. False when the peer's queue is full, or a router does not know the peer:
    /// then nothing of the message was sent.
    package func send(_ parts: [UnsafeRawBufferPointer]) throws(ZeroMQError) -> Bool {
        for (index, part) in parts.enumerated() {
            guard try send(part, isFirst: index == 0, isLast: index + 1 == parts.count) else { return false }
        }
        return true
    }

    /// The same of two parts, of which the second is copied together from two pieces.
    package func send(
        _ first: UnsafeRawBufferPointer, joining head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
    ) throws(ZeroMQError) -> Bool {
        var message = zmq_msg_t()
        return try withUnsafeMutablePointer(to: &message) { message throws(ZeroMQError) in
            guard zmq_msg_init_size(message, head.count + tail.count) == 0 else { throw Self.lastError("message") }
            // Of a message that was sent nothing is left to close.
            defer { zmq_msg_close(message) }
            let bytes = UnsafeMutableRawBufferPointer(start: zmq_msg_data(message), count: head.count + tail.count)
            bytes.copyMemory(from: head)
            UnsafeMutableRawBufferPointer(rebasing: bytes[head.count...]).copyMemory(from: tail)
            guard try send(first, isFirst: true, isLast: false) else { return false }
            while zmq_msg_send(message, handle, ZMQ_DONTWAIT) < 0 {
                guard zmq_errno() == EINTR else { throw Self.lastError("send") }
            }
            return true
        }
    }

    private func send(_ part: UnsafeRawBufferPointer, isFirst: Bool, isLast: Bool) throws(ZeroMQError) -> Bool {
        while zmq_send(handle, part.baseAddress, part.count, ZMQ_DONTWAIT | (isLast ? 0 : ZMQ_SNDMORE)) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN where isFirst, EHOSTUNREACH where isFirst: return false
            default: throw Self.lastError("send")
            }
        }
        return true
    }

    package func send(_ parts: [[UInt8]]) throws(ZeroMQError) -> Bool {
        // Control messages: small and rare, so that the copy does not matter.
        let writers = parts.map { part in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(part.count, 1), alignment: 1)
            copy.copyBytes(from: part)
            return (copy, part.count)
        }
        defer { for (copy, _) in writers { copy.deallocate() } }
        return try send(writers.map { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0.0)[..<$0.1]) })
    }

    /// The next message's parts, or nil when there is none now.
    package func receive() throws(ZeroMQError) -> [[UInt8]]? {
        var parts: [[UInt8]] = []
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        while true {
            if zmq_msg_recv(&message, handle, ZMQ_DONTWAIT) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN where parts.isEmpty: return nil
                default: throw Self.lastError("receive")
                }
            }
            parts.append(Array(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))))
            if zmq_msg_more(&message) == 0 { return parts }
        }
    }

    static func set<Value: FixedWidthInteger>(
        _ option: Int32, _ value: Value, on handle: UnsafeMutableRawPointer
    ) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Value>.size) == 0 else {
            throw lastError("option \(option)")
        }
    }

    func setBytes(_ option: Int32, _ value: [UInt8]) throws(ZeroMQError) {
        guard zmq_setsockopt(handle, option, value, value.count) == 0 else { throw Self.lastError("option \(option)") }
    }

    static func lastError(_ operation: String) -> ZeroMQError {
        let code = zmq_errno()
        return ZeroMQError(operation: operation, code: code, message: String(cString: zmq_strerror(code)))
    }
}
