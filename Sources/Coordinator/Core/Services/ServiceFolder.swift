private import CLinux
import Common
import Foundation

/// The folder of one private service: its lock, log and ports.
struct ServiceFolder: Sendable {
    /// For a person: `private Postgres`.
    let name: String
    let path: String

    /// A service of a coordinator that was killed has its keeper's limit to end.
    private static let lockLimit = Duration.seconds(20)
    private static let lockInterval = 0.05
    private static let lineCount = 5

    var lockPath: String { path + "/lock" }
    var logPath: String { path + "/log" }

    /// - Parameter owner: whom it belongs to; nil: us.
    func make(owner: (user: UInt32, group: UInt32)? = nil) throws(StartError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StartError("\(name): \(path): \(error.localizedDescription)", .unavailable)
        }
        chmod(path, 0o700)
        if let owner, chown(path, owner.user, owner.group) != 0 {
            throw StartError("\(name): \(path): \(String(cString: strerror(errno)))", .unavailable)
        }
    }

    /// Waits until what an earlier life left has ended. Blocking.
    func waitUntilFree(_ watch: StartWatch) throws(StartError) {
        let deadline = ContinuousClock.now + Self.lockLimit
        var isSaid = false
        while isLocked {
            try watch.check()
            guard ContinuousClock.now < deadline else {
                throw StartError(
                    "\(name): \(lockPath) is still locked after \(Self.lockLimit): something of an earlier fleet does not "
                        + "end; see: fuser -v \(lockPath)", .unavailable)
            }
            if !isSaid { watch.say("\(name): that of the coordinator before has not ended yet; waiting for it") }
            isSaid = true
            // Asked again and again, not waited for in flock(2): signals and the limit are looked at between.
            Thread.sleep(forTimeInterval: Self.lockInterval)
        }
    }

    private var isLocked: Bool {
        let descriptor = open(lockPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    /// Ports that are picked once and then kept, as many as are asked for; others if somebody else has taken them.
    func ports(_ count: Int, _ watch: StartWatch) throws(StartError) -> [UInt16] {
        let file = path + "/ports"
        let kept = ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(whereSeparator: \.isWhitespace)
            .compactMap { UInt16($0) }
        if kept.count == count {
            guard let taken = kept.first(where: { !FreePort.isFree($0) }) else { return kept }
            watch.say("\(name): its port \(taken) is taken by something else; it gets another one")
        }
        var ports: [UInt16] = []
        while ports.count < count {
            let port = try FreePort.random()
            if !ports.contains(port) { ports.append(port) }
        }
        do {
            try ports.map(String.init).joined(separator: " ").write(toFile: file, atomically: true, encoding: .utf8)
        } catch {
            throw StartError("\(name): \(file): \(error.localizedDescription)", .unavailable)
        }
        return ports
    }

    /// The end of its log, for an error.
    var lastLines: String {
        let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(Self.lineCount).map { "  " + $0 }.joined(separator: "\n")
    }
}
