private import CLinux
private import Glibc

/// What Foundation's `Process` hands down to a child, put right by the child, first thing.
package enum Inheritance {
    /// The last one (signal(7)); glibc has it as a function only.
    private static let lastSignal: Int32 = 64

    /// For a process that was spawned by another of ours: signals as they are by default, and a process group of its
    /// own, so that Ctrl-C at a terminal reaches the coordinator alone.
    package static func putRight() {
        setpgid(0, 0)
        var empty = sigset_t()
        sigemptyset(&empty)
        pthread_sigmask(SIG_SETMASK, &empty, nil)
        // Whatever some parent ignores, a shell in the background or a service manager; some can't be set, and are as they are.
        for number in 1...lastSignal { signal(number, SIG_DFL) }
        closeOnExec()
    }

    /// Nothing that is open goes on to children: neither other children's pipes, nor the socket by whose end the parent
    /// notices our exit. A grandchild that kept that one would hide it.
    package static func closeOnExec() {
        var limit = rlimit()
        guard millrace_nofile_limit(&limit) == 0 else { return }
        for descriptor in 3..<Int32(clamping: min(limit.rlim_cur, 4096)) {
            let flags = fcntl(descriptor, F_GETFD)
            if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
        }
    }
}
