private import CLinux
private import Glibc

/// The record that a worker has in its hands, kept where it survives the worker's crash: so that the coordinator
/// knows which record to blame.
///
/// A page of a file that is mapped by the worker and read by the coordinator once the worker is gone. One thread
/// writes.
package final class InFlightRecord {
    /// The record, by its place.
    package struct Place: Hashable, Sendable {
        package let source: SourceID
        package let offset: Int64

        package init(source: SourceID, offset: Int64) {
            self.source = source
            self.offset = offset
        }
    }

    private static let byteCount = 16
    private let page: UnsafeMutableRawPointer

    /// Nil when the file can't be made: then a crash tells less.
    package init?(path: String) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(Self.byteCount)) == 0,
            let page = mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            page != UnsafeMutableRawPointer(bitPattern: -1)
        else { return nil }
        self.page = page
    }

    deinit {
        munmap(page, Self.byteCount)
    }

    package func set(_ source: SourceID, _ offset: Int64) {
        millrace_mark(page, Int64(source.rawValue), offset)
    }

    package func clear() {
        millrace_mark(page, 0, 0)
    }

    /// What the last worker that used the file had in its hands, if anything. Forgets it.
    package static func take(path: String) -> Place? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var words = (Int64(0), Int64(0))
        guard read(descriptor, &words, byteCount) == byteCount, words.0 > 0 else { return nil }
        unlink(path)
        return Place(source: SourceID(rawValue: Int32(clamping: words.0)), offset: words.1)
    }
}
