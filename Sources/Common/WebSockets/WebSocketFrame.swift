private import CWebSockets

/// A text message with room for a frame's header before it, so that one buffer is written to any number of
/// connections. Used on the server's thread once it was sent there.
package final class WebSocketFrame: @unchecked Sendable {
    // The header is written into the room before the text for each connection: only the server's thread does so.
    let buffer: UnsafeMutableRawBufferPointer
    package let byteCount: Int

    package init(_ text: [UInt8]) {
        byteCount = text.count
        let headroom = Int(millrace_ws_headroom)
        buffer = .allocate(byteCount: headroom + text.count, alignment: 16)
        UnsafeMutableRawBufferPointer(rebasing: buffer[headroom...]).copyBytes(from: text)
    }

    deinit {
        buffer.deallocate()
    }

    /// What is sent, for tests.
    package var text: [UInt8] { Array(buffer[Int(millrace_ws_headroom)...]) }
}
