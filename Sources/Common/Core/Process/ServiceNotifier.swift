private import CLinux
private import Foundation

/// Tells the service manager that started this process how it is: the protocol of sd_notify(3), a datagram each time.
///
/// One thread, its owner's loop. Nothing here waits: what can't be sent is dropped, and told by `takeFailure`.
package final class ServiceNotifier {
    /// The protocol's environment variables. A child must not inherit them, or it would speak for its parent.
    package static let variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]
    /// A status line has at most so many characters: systemd takes datagrams of up to 4096 bytes.
    private static let statusCharacterLimit = 500

    private let descriptor: Int32
    private var address = sockaddr_un()
    private let addressSize: socklen_t
    /// Half of what the manager allows, as sd_watchdog_enabled(3) recommends.
    private let watchdogInterval: Duration?
    /// When the next sign of life is to be sent; nil: nobody waits for one.
    package private(set) var watchdogDue: ContinuousClock.Instant?
    private var lastStatus: String?
    private var isStopping = false
    private var failure: String?
    private var hasFailed = false

    /// Nil when no service manager listens.
    package static func fromEnvironment() throws(StartError) -> ServiceNotifier? {
        let environment = ProcessInfo.processInfo.environment
        return try ServiceNotifier(
            socket: environment["NOTIFY_SOCKET"], watchdogMicroseconds: environment["WATCHDOG_USEC"],
            watchdogProcess: environment["WATCHDOG_PID"])
    }

    /// - Parameters:
    ///   - socket: a path, or `@` and a name in the abstract namespace; nil or empty: nil.
    ///   - watchdogProcess: whose signs of life are waited for; nil: this one's.
    package init?(socket: String?, watchdogMicroseconds: String? = nil, watchdogProcess: String? = nil)
        throws(StartError)
    {
        guard let socket, !socket.isEmpty else { return nil }
        var bytes = Array(socket.utf8)
        guard socket.hasPrefix("/") || socket.hasPrefix("@"), bytes.count > 1,
            bytes.count < MemoryLayout.size(ofValue: address.sun_path)
        else { throw StartError("NOTIFY_SOCKET is '\(socket)'; it must be a short path, or @NAME", .configuration) }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // An abstract name is as long as it is; a path has its NUL.
        let terminator = bytes[0] == 0 ? 0 : 1
        addressSize = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + bytes.count + terminator)
        let isOurs = watchdogProcess.map { $0 == String(getpid()) } ?? true
        let limit = isOurs ? watchdogMicroseconds.flatMap { Int64($0) } : nil
        watchdogInterval = limit.flatMap { $0 > 0 ? .microseconds($0 / 2) : nil }
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = CLinux.socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else {
            throw StartError("NOTIFY_SOCKET: socket: \(String(cString: strerror(errno)))", .unavailable)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    package func started(status: String, at now: ContinuousClock.Instant) {
        lastStatus = Self.line(status)
        send("READY=1\nSTATUS=\(Self.line(status))")
        watchdogDue = watchdogInterval.map { now + $0 }
    }

    /// The loop has turned.
    package func turned(isStopping: Bool, at now: ContinuousClock.Instant) {
        if isStopping, !self.isStopping {
            self.isStopping = true
            send("STOPPING=1")
        }
        if let due = watchdogDue, let watchdogInterval, due <= now {
            send("WATCHDOG=1")
            watchdogDue = now + watchdogInterval
        }
    }

    /// Said when it is another than the last.
    package func say(status: String) {
        let line = Self.line(status)
        guard line != lastStatus else { return }
        lastStatus = line
        send("STATUS=\(line)")
    }

    /// Why something could not be sent: once, although it may go on.
    package func takeFailure() -> String? {
        defer { failure = nil }
        return failure
    }

    private static func line(_ text: String) -> String {
        String(text.prefix(statusCharacterLimit).map { $0.isNewline ? " " : $0 })
    }

    private func send(_ text: String) {
        let bytes = Array(text.utf8)
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, addressSize)
            }
        }
        guard sent < 0, !hasFailed else { return }
        failure = "the service manager can't be told '\(text)': \(String(cString: strerror(errno)))"
        hasFailed = true
    }
}
