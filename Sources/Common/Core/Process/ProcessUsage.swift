private import CLinux
private import Glibc

/// What this process has used.
package enum ProcessUsage {
    /// User and system time since it started.
    package static var processorSeconds: Double { millrace_processor_seconds() }

    /// Memory that is resident now, zero where /proc doesn't tell.
    package static var residentBytes: Int64 {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        // The second number: resident pages (proc(5)).
        let fields = buffer[..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int64(String(decoding: fields[1], as: UTF8.self)) else { return 0 }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
