internal import Common
private import Glibc

/// Bytes of a file, a pipe or standard input, read in pieces into one buffer that doesn't grow.
///
/// Owned by one thread.
struct InputFile: ~Copyable {
    enum Fill {
        case more
        /// A pipe that holds nothing now.
        case waiting
        case end
    }

    let name: String
    let descriptor: Int32
    /// In bytes; nil for what is no file.
    let size: Int64?
    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    /// Bytes that were consumed.
    private(set) var consumed: Int64 = 0

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - capacity: bytes that can be unread at a time.
    init(_ path: String, capacity: Int) throws(StartError) {
        // Without waiting for who will write to a named pipe: that is waited for where signals are heard, too.
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw StartError("\(path): can't be read: \(String(cString: strerror(errno)))", .usage)
        }
        self.init(path == "-" ? "standard input" : path, descriptor, capacity: capacity)
    }

    private init(_ name: String, _ descriptor: Int32, capacity: Int) {
        self.name = name
        self.descriptor = descriptor
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isFile ? Int64(status.st_size) : nil
        buffer = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        buffer.deallocate()
        close(descriptor)
    }

    /// What was read and not consumed. Lives until the next `fill`.
    var unread: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

    mutating func consume(_ count: Int) {
        precondition(count <= end - start)
        start += count
        consumed += Int64(count)
    }

    /// Reads more behind what is unread, without waiting. There has to be room for it.
    mutating func fill() throws(StartError) -> Fill {
        precondition(end - start < buffer.count)
        if start > 0 {
            buffer.copyMemory(from: unread)
            (start, end) = (0, end - start)
        }
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, 0) == 0 { return .waiting }
            let count = read(descriptor, buffer.baseAddress! + end, buffer.count - end)
            if count > 0 {
                end += count
                return .more
            }
            if count == 0 { return .end }
            if errno == EAGAIN { return .waiting }
            guard errno == EINTR else {
                throw StartError("\(name): can't be read: \(String(cString: strerror(errno)))", .unavailable)
            }
        }
    }
}
