package import Common
package import Foundation
private import Glibc

/// What a process says, in a file that is its owner's, behind what it said before.
package enum LogFile {
    /// Kept up to about this size, and the one before it.
    private static let byteLimit = 4_000_000

    /// For adding to it.
    package static func open(_ path: String) throws(StartError) -> FileHandle {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        if size > byteLimit { rename(path, path + ".1") }
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartError("\(path): can't be written: \(String(cString: strerror(errno)))", .unavailable)
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}
