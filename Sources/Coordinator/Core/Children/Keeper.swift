private import CLinux
package import Common
import Foundation

/// Runs a program that knows nothing of its parent, such as Postgres or a JVM, and ends it when this process's standard
/// input ends: then whoever holds the other side is gone, whatever ended that.
///
/// Should the keeper be killed itself, the kernel sends the program its signal (PR_SET_PDEATHSIG, set by setpriv(1),
/// which also switches the user). That goes by the thread that spawned, hence by the main one, which lives as long as
/// the process.
package struct Keeper: Sendable, Equatable {
    package var program: [String]
    /// Whom it runs as; nil: as ourselves.
    package var user: String?
    package var signal: KeeperSignal
    /// So long it may take to end; then everything of it is killed.
    package var limit: Duration
    /// After the end of our input so long is waited first, for those who still use the program; a signal is acted upon at
    /// once.
    package var grace: Duration
    /// Locked while anything of the program lives, also without its keeper: it inherits the lock.
    package var lock: String?

    package init(
        _ program: [String], user: String? = nil, signal: KeeperSignal = .terminate, limit: Duration = .seconds(7),
        grace: Duration = .zero, lock: String? = nil
    ) {
        self.program = program
        self.user = user
        self.signal = signal
        self.limit = limit
        self.grace = grace
        self.lock = lock
    }

    /// Blocking, on the main thread.
    /// - Returns: the program's exit status; 128 and a signal's number when it died of that.
    package func run() throws(StartError) -> Int32 {
        Inheritance.putRight()
        guard millrace_adopt_orphans() == 0 else { throw Self.failure("prctl", errno) }
        if let lock { try Self.take(lock) }
        let signals = try Self.blockSignals()
        defer { close(signals) }
        let child = try spawn()
        var askAt: ContinuousClock.Instant?
        var deadline: ContinuousClock.Instant?
        var isInputOpen = true
        while true {
            var entries = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
            if isInputOpen { entries.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
            poll(&entries, nfds_t(entries.count), (deadline ?? askAt).map { Self.milliseconds($0 - .now) } ?? -1)
            var isHurried = false
            if isInputOpen, entries[1].revents != 0, Self.hasInputEnded() {
                isInputOpen = false
                askAt = askAt ?? .now + grace
            }
            while let number = Self.next(signals) {
                switch number {
                case SIGCHLD: if let status = Self.reap(child) { return finish(child, status) }
                case SIGQUIT: isHurried = true
                default: askAt = .now
                }
            }
            if isHurried || deadline.map({ $0 <= .now }) == true {
                kill(-child, SIGKILL)
                deadline = nil
                askAt = nil
            } else if deadline == nil, let due = askAt, due <= .now {
                kill(child, signal.number)
                askAt = nil
                deadline = .now + limit
            }
        }
    }

    // MARK: Spawning

    /// Never closed: it ends with the last process that has it.
    private static func take(_ path: String) throws(StartError) {
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else { throw failure(path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StartError("\(path) is locked: what runs there has not ended", .unavailable)
        }
    }

    private func spawn() throws(StartError) -> pid_t {
        var words = ["setpriv", "--pdeathsig", signal.rawValue]
        if let user {
            guard let entry = getpwnam(user) else { throw StartError("there is no user \(user)", .configuration) }
            words += [
                "--reuid", String(entry.pointee.pw_uid), "--regid", String(entry.pointee.pw_gid), "--init-groups",
            ]
        }
        words += ["--"] + program
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        var pointers = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, words[0], &actions, &attributes, &pointers, millrace_environment())
        guard code == 0 else { throw Self.failure("setpriv", code) }
        return pid
    }

    private static func failure(_ what: String, _ code: Int32) -> StartError {
        StartError("\(what): \(String(cString: strerror(code)))", .unavailable)
    }

    // MARK: Waiting

    private static func blockSignals() throws(StartError) -> Int32 {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let descriptor = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard descriptor >= 0 else { throw failure("signalfd", errno) }
        return descriptor
    }

    private static func next(_ signals: Int32) -> Int32? {
        var info = signalfd_siginfo()
        return read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 ? Int32(info.ssi_signo) : nil
    }

    /// Something may be written to it by mistake.
    private static func hasInputEnded() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        return count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)
    }

    private static func milliseconds(_ duration: Duration) -> Int32 {
        Int32(clamping: max(0, Int64(duration / .milliseconds(1)) + 1))
    }

    // MARK: The end

    /// Frees whoever has ended; the program's status when it is among them.
    private static func reap(_ child: pid_t) -> Int32? {
        var found: Int32?
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return found }
            if pid == child { found = millrace_exit_status(status) }
        }
    }

    private static let sweepLimit = 100
    private static let sweepMicroseconds: UInt32 = 20_000

    /// What the program left behind has become ours: it goes too.
    private func finish(_ child: pid_t, _ status: Int32) -> Int32 {
        kill(-child, SIGKILL)
        for _ in 0..<Self.sweepLimit {
            for pid in ProcessTable.children(of: getpid()) { kill(pid, SIGKILL) }
            var ignored: Int32 = 0
            while waitpid(-1, &ignored, WNOHANG) > 0 {}
            if waitpid(-1, &ignored, WNOHANG) < 0, errno == ECHILD { break }
            // What was killed takes a moment to be taken apart, and its own children to become ours.
            usleep(Self.sweepMicroseconds)
        }
        return status
    }
}
