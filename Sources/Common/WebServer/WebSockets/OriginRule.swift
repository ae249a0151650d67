private import Foundation

/// Which pages a browser may connect from (RFC 6455, section 10.2). Clients that are no browsers say no origin.
package struct OriginRule: Sendable {
    /// `https://app.example.org`, or `*` for any. The server's own host is always allowed.
    package var allowed: Set<String> = []

    package init(_ allowed: Set<String> = []) {
        self.allowed = Set(allowed.map { $0.lowercased() })
    }

    func allows(_ origin: String?, host: String?) -> Bool {
        guard let origin = origin?.lowercased() else { return true }
        if allowed.contains("*") || allowed.contains(origin) { return true }
        guard let host = host?.lowercased(), let scheme = origin.range(of: "://") else { return false }
        return origin[scheme.upperBound...] == host
    }
}
