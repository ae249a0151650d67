private import CLinux
package import Common
import Foundation

/// The folder of one fleet: its lock, its control socket, its workers' feeds.
///
/// The lock is the kernel's (flock): it ends with the process, however that ends.
package struct RuntimeFolder: ~Copyable {
    package let path: String
    private let lock: Int32

    /// sockaddr_un holds 108 bytes with the final NUL.
    private static let socketPathByteLimit = 107

    private static let lockPatience = Duration.seconds(2)

    package init(_ path: String) throws(StartError) {
        let control = path + "/control"
        guard control.utf8.count + "/feed-shard-1000-4194304".utf8.count <= Self.socketPathByteLimit else {
            throw StartError("runtime folder \(path): its path is too long for a socket; choose a shorter one", .usage)
        }
        try Self.make(path)
        guard mkdir(control, 0o700) == 0 || errno == EEXIST, chmod(control, 0o700) == 0 else {
            throw StartError("\(control): \(String(cString: strerror(errno)))", .unavailable)
        }
        let lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw StartError("runtime folder \(path): can't make the lock file", .unavailable) }
        guard Self.take(lock) else {
            close(lock)
            throw Self.isInUse(path)
        }
        ftruncate(lock, 0)
        let pid = String(getpid())
        _ = pid.withCString { write(lock, $0, pid.utf8.count) }
        self.path = path
        self.lock = lock
        Self.removeLeftovers(in: control)
    }

    /// A new folder lets others pass, to what is theirs in it: a private Postgres runs as another user. One that is there
    /// stays as it is, and has to be ours alone: who can write in it could put another control socket in its place.
    package static func make(_ path: String) throws(StartError) {
        if mkdir(path, 0o711) != 0, errno == ENOENT {
            let parent = (path as NSString).deletingLastPathComponent
            try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            mkdir(path, 0o711)
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StartError("runtime folder \(path): \(String(cString: strerror(errno)))", .unavailable)
        }
        let reason: String? =
            if status.st_mode & S_IFMT != S_IFDIR {
                "is no folder"
            } else if status.st_uid != geteuid() {
                "belongs to another user"
            } else if status.st_mode & 0o022 != 0 {
                "is open for others to write in"
            } else {
                nil
            }
        guard let reason else { return }
        throw StartError(
            "runtime folder \(path) \(reason); name one of its own, which is made: --runtime-dir \(path)/millrace",
            .usage)
    }

    /// Without touching anything in it.
    package static func requireFree(_ path: String) throws(StartError) {
        if isHeld(path) { throw isInUse(path) }
    }

    private static func isInUse(_ path: String) -> StartError {
        let holder = (try? String(contentsOfFile: path + "/lock", encoding: .utf8)) ?? "unknown"
        return StartError(
            "runtime folder \(path) is in use by the coordinator with pid \(holder); stop it, or choose another folder",
            .unavailable)
    }

    /// Waits a moment: a coordinator that was just killed has to be taken apart first.
    private static func take(_ lock: Int32) -> Bool {
        let deadline = ContinuousClock.now + lockPatience
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline else { return false }
            // Asked again and again: waiting in flock(2) has no limit.
            Thread.sleep(forTimeInterval: 0.02)
        }
        return true
    }

    /// What workers of an earlier coordinator left; those that still drain need none of it.
    private static func removeLeftovers(in control: String) {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: control)) ?? []
        for file in files where file.hasPrefix("feed-") || file.hasPrefix("in-flight-") { unlink("\(control)/\(file)") }
    }

    deinit {
        close(lock)
    }

    /// Whether what is at the path is still this folder: somebody may have removed it, and started another fleet there.
    var isThere: Bool {
        var (held, found) = (stat(), stat())
        return fstat(lock, &held) == 0 && stat(path + "/lock", &found) == 0 && held.st_ino == found.st_ino
            && held.st_dev == found.st_dev
    }

    /// Whether some coordinator runs in a folder.
    package static func isHeld(_ path: String) -> Bool {
        let lock = open(path + "/lock", O_RDONLY | O_CLOEXEC)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        return flock(lock, LOCK_SH | LOCK_NB) != 0
    }

    package var controlEndpoint: String { Self.controlEndpoint(in: path) }

    package static func controlEndpoint(in path: String) -> String { "ipc://\(path)/control/coordinator" }

    /// Where a worker publishes. Each its own: libzmq removes the file of an address when whoever bound it ends, even if
    /// another has bound it since.
    func feedEndpoint(_ worker: WorkerIdentity) -> String { "ipc://\(feedPath(worker))" }

    private func feedPath(_ worker: WorkerIdentity) -> String { "\(path)/control/feed-\(worker.name)" }

    /// Where a worker notes the record in its hands.
    func inFlightPath(_ worker: WorkerIdentity) -> String { "\(path)/control/in-flight-\(worker.name)" }

    /// What a worker that is gone left.
    func remove(_ worker: WorkerIdentity) {
        unlink(feedPath(worker))
        unlink(inFlightPath(worker))
    }
}
