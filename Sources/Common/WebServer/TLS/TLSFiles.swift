private import CWebSockets
private import Glibc

/// The certificate of a server with its chain, and its key: files in PEM.
package struct TLSFiles: Sendable, Equatable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    /// Why no server could use them; nil when one can.
    package var problem: String? {
        var reason = [CChar](repeating: 0, count: 1024)
        guard millrace_web_check_certificate(certificate, key, &reason, reason.count) != 0 else { return nil }
        return String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What tells one version of the files from the next, without reading them: device, inode, size and time of each.
    var version: [Int] {
        [certificate, key].flatMap { path -> [Int] in
            var status = stat()
            guard stat(path, &status) == 0 else { return [] }
            return [
                Int(status.st_dev), Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
            ]
        }
    }
}
