private import Glibc

/// A bound TCP socket, made before the library takes it over: so the reason is known when that fails.
enum ListeningSocket {
    private static let backlog: Int32 = 1024

    /// - Returns: the descriptor, the caller's to close, and the address with the port that was bound.
    static func open(host: String, port: UInt16) throws(WebServerError) -> (descriptor: Int32, address: String) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        guard code == 0, let found else {
            let message = code == EAI_SYSTEM ? text(errno) : String(cString: gai_strerror(code))
            throw WebServerError(operation: "resolve", code: code, message: message)
        }
        defer { freeaddrinfo(found) }
        // The first address only: falling back to the next would hide that a port is taken.
        let type = found.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(found.pointee.ai_family, type, found.pointee.ai_protocol)
        guard descriptor >= 0 else { throw lastError("socket") }
        do throws(WebServerError) {
            var one: Int32 = 1
            // A port whose last connections are in TIME_WAIT is free.
            guard setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size)) == 0
            else { throw lastError("setsockopt") }
            guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else {
                throw lastError("bind")
            }
            guard listen(descriptor, backlog) == 0 else { throw lastError("listen") }
            return (descriptor, try address(of: descriptor))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// `127.0.0.1:9464` or `[::1]:9464`.
    private static func address(of descriptor: Int32) throws(WebServerError) -> String {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        var failure: WebServerError?
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(descriptor, address, &size) == 0 else {
                    failure = lastError("getsockname")
                    return
                }
                let code = getnameinfo(
                    address, size, &host, socklen_t(host.count), &service, socklen_t(service.count),
                    NI_NUMERICHOST | NI_NUMERICSERV)
                if code != 0 {
                    failure = WebServerError(
                        operation: "getnameinfo", code: code, message: String(cString: gai_strerror(code)))
                }
            }
        }
        if let failure { throw failure }
        let name = string(host)
        return (name.contains(":") ? "[\(name)]" : name) + ":" + string(service)
    }

    private static func string(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func lastError(_ operation: String) -> WebServerError {
        let code = errno
        return WebServerError(operation: operation, code: code, message: text(code))
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
