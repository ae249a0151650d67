private import CLinux
private import Glibc

/// A descriptor that is readable at a time (timerfd_create(2)). On the server's thread.
final class TurnTimer {
    let descriptor: Int32
    private var due: ContinuousClock.Instant?

    init?() {
        descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK) | Int32(TFD_CLOEXEC))
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Earlier, if it was set for later.
    func set(_ time: ContinuousClock.Instant) {
        guard due.map({ time < $0 }) ?? true else { return }
        due = time
        let left = max(.microseconds(1), time - .now).components
        var timer = itimerspec()
        timer.it_value.tv_sec = Int(left.seconds)
        timer.it_value.tv_nsec = Int(left.attoseconds / 1_000_000_000)
        timerfd_settime(descriptor, 0, &timer, nil)
    }

    /// It was readable.
    func calmDown() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
        due = nil
    }
}
