private import CWebSockets

/// Complete WebSocket frames (RFC 6455, section 5.2) or events, so that one buffer is written to any number of connections as
/// it is.
package struct FrameBuffer: Sendable {
    package let bytes: [UInt8]

    private static let headerByteLimit = 10

    /// A text message as one frame.
    package init(text: [UInt8]) {
        self.init(texts: [text])
    }

    /// Text messages, a frame each.
    package init(texts: [[UInt8]]) {
        let capacity = texts.reduce(0) { $0 + $1.count + Self.headerByteLimit }
        bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            for text in texts {
                let start = count + millrace_web_text_header(text.count, buffer.baseAddress! + count)
                _ = UnsafeMutableBufferPointer(rebasing: buffer[start...]).update(from: text)
                count = start + text.count
            }
        }
    }

    /// Server-Sent Events, as `EventText` writes them.
    package init(events: [UInt8]) {
        bytes = events
    }

    /// Asks for a pong. With a payload, since the library does not tell of pongs without one.
    static let ping = FrameBuffer(frames: [0x89, 4] + Array("ping".utf8))

    private init(frames: [UInt8]) {
        bytes = frames
    }
}
