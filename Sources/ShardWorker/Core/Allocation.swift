private import CLinux

/// How this process's malloc keeps memory (mallopt(3)).
///
/// librdkafka takes a buffer of megabytes for each answer of a broker, on a thread of its own, and it is freed on the loop's
/// thread. As malloc is set, such memory goes back to the kernel at once and comes again page by page: a third of what
/// fetching costs.
package enum Allocation {
    private static let megabyte: Int32 = 1024 * 1024

    /// Before there are other threads.
    package static func keepMemory() {
        // The most that malloc takes; larger buffers are mapped.
        mallopt(M_MMAP_THRESHOLD, 32 * megabyte)
        mallopt(M_TOP_PAD, 16 * megabyte)
        // What is free beyond that goes back.
        mallopt(M_TRIM_THRESHOLD, 64 * megabyte)
        // Two threads, which hand memory to each other: arenas of their own would not part them, and grow page by page.
        mallopt(M_ARENA_MAX, 1)
    }
}
