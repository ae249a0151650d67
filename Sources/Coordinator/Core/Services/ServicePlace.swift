private import CLinux
import Common
import Foundation

/// Where a service's folder is: in the runtime folder, unless its user can't get there, as to one below /root.
struct ServicePlace {
    let path: String
    /// Why it is elsewhere.
    let reason: String?

    private static let outside = "/var/lib/millrace"

    init(runtimeFolder: String, name: String, account: ServiceAccount?) {
        guard let account, !account.reaches(runtimeFolder) else {
            path = "\(runtimeFolder)/\(name)"
            reason = nil
            return
        }
        let hash = Array(runtimeFolder.utf8).withUnsafeBytes { RecordChecksum.of(offset: 0, key: nil, value: $0) }
        path = "\(Self.outside)/\(String(format: "%016lx", hash))/\(name)"
        reason = "the user \(account.name) can't reach \(runtimeFolder)"
    }

    /// The folders around one that is elsewhere.
    static func makeOutside(_ path: String) throws(StartError) {
        for folder in [outside, String(path[..<path.lastIndex(of: "/")!])] {
            guard mkdir(folder, 0o711) == 0 || errno == EEXIST, chmod(folder, 0o711) == 0 else {
                throw StartError("\(folder): \(String(cString: strerror(errno)))", .unavailable)
            }
        }
    }
}
