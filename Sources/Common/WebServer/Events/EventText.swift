/// Writes Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.5).
package struct EventText {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// - Parameters:
    ///   - data: without line feeds and carriage returns, as all JSON without white space is.
    ///   - id: what the client asks with when it comes again, from this event on; nil: what it has stays.
    package mutating func add(_ data: [UInt8], id: String? = nil) {
        bytes.reserveCapacity(bytes.count + data.count + (id?.utf8.count ?? 0) + 16)
        if let id { add(line: "id: ", id) }
        bytes += Array("data: ".utf8)
        bytes += data
        bytes += [0x0A, 0x0A]
    }

    /// How long the client waits before it connects again.
    package mutating func add(retryAfter milliseconds: Int) {
        add(line: "retry: ", String(milliseconds))
        bytes.append(0x0A)
    }

    private mutating func add(line name: String, _ value: String) {
        bytes += Array(name.utf8)
        bytes += Array(value.utf8)
        bytes.append(0x0A)
    }
}
