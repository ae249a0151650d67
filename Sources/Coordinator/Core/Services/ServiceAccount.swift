import Common
private import Glibc

/// A user of this machine that a service runs as.
struct ServiceAccount: Sendable {
    let name: String
    let user: UInt32
    let group: UInt32

    init(_ name: String) throws(StartError) {
        guard let entry = getpwnam(name) else {
            throw StartError(
                "as root, the private Postgres runs as user \(name), which does not exist: apt-get install postgresql",
                .unavailable)
        }
        self.name = name
        user = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }

    /// Whether it may pass through a folder and all above it.
    func reaches(_ path: String) -> Bool {
        var part = path
        while true {
            var status = stat()
            guard stat(part, &status) == 0 else { return false }
            let bit: UInt32 = status.st_uid == user ? S_IXUSR : status.st_gid == group ? S_IXGRP : S_IXOTH
            guard status.st_mode & bit != 0 else { return false }
            guard part != "/", let slash = part.lastIndex(of: "/") else { return true }
            part = slash == part.startIndex ? "/" : String(part[..<slash])
        }
    }
}
