private import Foundation

/// A small text file that appears whole or not at all, is never overwritten by `create`, and is its owner's (0600).
package struct KeyFile: Sendable {
    package let path: String

    /// A few keys.
    private static let byteLimit = 4096

    package init(path: String) {
        self.path = path
    }

    /// What it holds, without white space around it; nil when there is no such file.
    /// - Parameter secret: refuse it when anybody but its owner could have read it.
    package func read(secret: Bool) throws(StartError) -> String? {
        // Without waiting for the writer of a pipe that somebody put here.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else { throw failure("can't be read") }
        defer { close(file) }
        // Asked of the open file, so that it is the one that is read.
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure("can't be read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw StartError("\(path) is not a file", .configuration) }
        if secret {
            guard status.st_mode & 0o077 == 0 else {
                throw StartError(
                    "\(path) holds a secret key, and others than its owner have access to it; run `chmod 600 \(path)`, "
                        + "and if somebody may have read it, remove it to have a new one made",
                    .configuration)
            }
            guard status.st_uid == geteuid() || status.st_uid == 0 else {
                throw StartError(
                    "\(path) holds a secret key and belongs to another user; run `chown \(geteuid()) \(path)`",
                    .configuration)
            }
        }
        var bytes = [UInt8](repeating: 0, count: Self.byteLimit + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + count, $0.count - count) }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw failure("can't be read") }
            if more == 0 { break }
            count += more
        }
        guard count <= Self.byteLimit else {
            throw StartError("\(path) is longer than a key file can be (\(Self.byteLimit) bytes)", .configuration)
        }
        return String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// False, and nothing is changed, when the file exists: of several processes that make it, one does.
    package func create(_ text: String) throws(StartError) -> Bool {
        try write(text) { link($0, $1) }
    }

    /// The same in place of what is there.
    package func replace(_ text: String) throws(StartError) {
        _ = try write(text) { rename($0, $1) }
    }

    /// - Parameter publish: gives what was written its name; not zero with errno set.
    private func write(_ text: String, _ publish: (String, String) -> Int32) throws(StartError) -> Bool {
        let folder = (path as NSString).deletingLastPathComponent
        // Written under another name and then linked: nobody ever finds half a key, whenever this process ends. What
        // that leaves behind has a name that no reader looks for.
        let temporary = "\(folder)/.new-key-\(UUID().uuidString)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("can't be made") }
        defer {
            close(file)
            unlink(temporary)
        }
        // A few bytes: all of them, or the disk is full.
        let written = text.withCString { Glibc.write(file, $0, text.utf8.count) }
        guard written == text.utf8.count, fsync(file) == 0 else { throw failure("can't be written") }
        guard publish(temporary, path) == 0 else {
            if errno == EEXIST { return false }
            throw failure("can't be made")
        }
        // The name too has to outlast a power cut: what was handed out refers to this key.
        let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw failure("can't be made durable") }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw failure("can't be made durable") }
        return true
    }

    /// False when there was none.
    package func remove() throws(StartError) -> Bool {
        if unlink(path) == 0 { return true }
        if errno == ENOENT { return false }
        throw failure("can't be removed")
    }

    private func failure(_ what: String) -> StartError {
        StartError("\(path) \(what): \(String(cString: strerror(errno)))", .unavailable)
    }
}
