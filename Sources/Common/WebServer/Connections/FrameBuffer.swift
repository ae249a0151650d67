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
        bytes = Self.frames(of: texts, areBinary: false)
    }

    /// A binary message as one frame.
    package init(binary: [UInt8]) {
        bytes = Self.frames(of: [binary], areBinary: true)
    }

    private static func frames(of messages: [[UInt8]], areBinary: Bool) -> [UInt8] {
        let capacity = messages.reduce(0) { $0 + $1.count + headerByteLimit }
        return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            for message in messages {
                let header = buffer.baseAddress! + count
                let start = count + millrace_web_message_header(message.count, areBinary ? 1 : 0, header)
                _ = UnsafeMutableBufferPointer(rebasing: buffer[start...]).update(from: message)
                count = start + message.count
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
