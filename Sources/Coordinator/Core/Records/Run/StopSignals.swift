private import CLinux
private import Glibc

/// SIGINT and SIGTERM, counted rather than obeyed: from when this is made until the process ends.
///
/// Blocks them in the thread that makes it. librdkafka's threads block all signals by themselves.
final class StopSignals {
    /// Readable when there is another one.
    let descriptor: Int32
    private(set) var count = 0

    init() {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        descriptor = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        precondition(descriptor >= 0, "signalfd")
    }

    deinit {
        close(descriptor)
    }

    func read() {
        var info = signalfd_siginfo()
        while Glibc.read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { count += 1 }
    }
}
