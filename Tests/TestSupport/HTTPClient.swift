internal import Foundation

/// Asks an HTTP server over a plain socket: one request a connection.
package struct HTTPClient {
    package struct Answer: Sendable {
        package var status: Int
        /// Names in lower case.
        package var fields: [String: String]
        package var body: String
    }

    private var address = sockaddr_in()

    /// - Parameter text: `ADDRESS:PORT`, of IPv4.
    package init(_ text: String) throws {
        let parts = text.split(separator: ":")
        guard parts.count == 2, inet_pton(AF_INET, String(parts[0]), &address.sin_addr) == 1,
            let port = UInt16(parts[1])
        else { throw ShellFailure(command: "connect to '\(text)'", output: "not an address and a port") }
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
    }

    package func get(_ path: String) throws -> Answer { try request("GET \(path) HTTP/1.1") }

    /// - Parameter line: the request line.
    package func request(_ line: String, body: String = "") throws -> Answer {
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        let text = try exchange("\(line)\r\nHost: localhost\r\nConnection: close\r\n\(length)\r\n\(body)")
        guard let end = text.range(of: "\r\n\r\n") else {
            throw ShellFailure(command: line, output: "no HTTP answer: '\(text)'")
        }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw ShellFailure(command: line, output: lines[0]) }
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        return Answer(
            status: status, fields: Dictionary(fields) { $1 }, body: String(text[end.upperBound...]))
    }

    /// Sends these bytes and returns what comes until the other side closes.
    package func exchange(_ text: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure("socket") }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            guard setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) == 0 else {
                throw Self.failure("setsockopt")
            }
        }
        let connected = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Self.failure("connect") }
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // A server may refuse before it has read everything: then its answer counts.
            guard count > 0 else { break }
            sent += count
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno != ECONNRESET { throw Self.failure("recv") }
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += buffer[..<count]
        }
    }

    private static func failure(_ operation: String) -> ShellFailure {
        ShellFailure(command: operation, output: String(cString: strerror(errno)))
    }
}
