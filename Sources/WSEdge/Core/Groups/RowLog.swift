/// A ring that several have. On the server's thread.
final class RowLog {
    var ring: StreamRing

    init(_ ring: StreamRing) {
        self.ring = ring
    }
}
