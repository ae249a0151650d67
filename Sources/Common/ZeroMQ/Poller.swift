private import CZeroMQ
private import Glibc

/// One wait over libzmq sockets and plain descriptors (zmq_poll). One thread.
package struct Poller: ~Copyable {
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int16

        package init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        package static let read = Events(rawValue: 1)
        package static let write = Events(rawValue: 2)
        /// The other side is gone, or the descriptor is broken.
        package static let error = Events(rawValue: 4)
    }

    private var items: [zmq_pollitem_t] = []

    package init() {}

    /// Empties the set, for the next turn of a loop whose interests change.
    package mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
    }

    /// The entry's index, for `events`.
    @discardableResult
    package mutating func add(_ socket: borrowing Socket) -> Int {
        items.append(zmq_pollitem_t(socket: socket.handle, fd: -1, events: Events.read.rawValue, revents: 0))
        return items.count - 1
    }

    /// Readable: call its `serve`.
    @discardableResult
    package mutating func add(_ authenticator: Authenticator) -> Int { add(authenticator.socket) }

    @discardableResult
    package mutating func add(descriptor: Int32, _ events: Events) -> Int {
        items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: events.rawValue, revents: 0))
        return items.count - 1
    }

    /// Waits for any entry, at most `timeout`. A signal ends the wait early.
    package mutating func wait(_ timeout: Duration) throws(ZeroMQError) {
        let parts = timeout.components
        let milliseconds = max(
            0, parts.seconds * 1000 + (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        if zmq_poll(&items, Int32(items.count), Int(min(milliseconds, 3_600_000))) < 0, zmq_errno() != EINTR {
            throw Socket.lastError("poll")
        }
    }

    package func events(_ index: Int) -> Events { Events(rawValue: items[index].revents) }
}
